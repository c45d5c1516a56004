"""`make mutants`: change one thing at a time, and see whether a test turns red.

A mutant is the source with one condition forced, one bound moved or one number changed. Those that
no test notices are listed in `survivors.txt`, each with its reason; any other fails the target.
"""
