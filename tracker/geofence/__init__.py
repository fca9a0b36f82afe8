"""Places, who crosses their edges, and what that means: truly, once, and with its reasons."""
