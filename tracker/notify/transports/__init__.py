"""Ways to hand an SMS to somebody who delivers it, one file each, which announces `TRANSPORT`."""
