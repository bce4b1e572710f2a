"""What all engines have in common: transactions, the methods of a store, names, the log, jobs, reading, archiving.

An engine brings its connections (`Engine`, `Session`) and the statements that its own SQL says better (`Tables`).
"""
