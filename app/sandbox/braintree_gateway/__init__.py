"""A payment gateway that speaks Braintree's wire protocol on this machine, so that the real SDK runs with no account.

It knows documented test data alone and moves no money. Production never loads it.
"""
