"""The role that watches: the single pane of glass."""
