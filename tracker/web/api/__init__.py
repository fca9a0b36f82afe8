"""The calls of `/api/v1`: one blueprint a file, each announced as BLUEPRINT."""
