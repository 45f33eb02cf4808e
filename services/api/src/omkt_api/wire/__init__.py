"""The original's API, for clients that must not notice that the server is another: one more face on submit, probe and job.

php.py       parameters as PHP reads them
codes.py     the original's codes, and answers wrapped in them
catalogue.py the 28 settings as clients know them
metadata.py  facts in the original's form
limits.py    calls per minute
calls.py     the five methods; subscribing.py, handing_over.py and pulling.py do the work
routes.py    /api, and the link of the validation mail
callbacks.py, cron.py, mail.py, announcer.py: what the courier does for these clients

Its rules are in docs/omkt-compatibility.md.
"""
