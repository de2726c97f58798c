"""Acts that concern many tables at once. What concerns one row is a method of it in models.py.

Like there, each changes state, appends its history and an Event in one transaction, and only here
and there is anything written.
"""
