"""The parts of `tests/soak.py`.

replies     what is asked and what is answered, told by a request's number
provider    a real provider, which says that
wire        HTTP as a client speaks it, down to the reset
clients     valid traffic, and clients that leave
strangers   peers without a key
proxies     real `lectr-lab serve` processes: their lives, kills and ends
odd_clock   one whose time of day jumps
small_disk  a disk that is full when it is told to be
faults      kills, helpers, readers, a full disk
reader      what is read meanwhile, in a process of its own
course      all of it at once, then peace, then the end
flips       damaged copies of the log
ledger      what must be there, and what is: outside the product
verdict     the laws, once all is over
report      all that is said then
table       figures, and how they are printed
"""
