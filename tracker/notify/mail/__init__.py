"""Ways to hand a mail to somebody who delivers it, one file each, which announces `TRANSPORT`."""
