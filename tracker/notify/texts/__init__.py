"""The words of events, one file a family of rules, which announces `TEXTS`."""
