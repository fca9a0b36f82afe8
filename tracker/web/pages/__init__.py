"""The pages: one blueprint a file, each announced as BLUEPRINT."""
