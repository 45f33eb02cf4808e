"""What the original's API needs beside accounts, media and jobs: its clients' own numbers, secrets and habits.

clients.py       who subscribes, calls and is called
applications.py  which programs call, and which may not
media.py         media and formats under the client's numbers
telling.py       what a callback has to say
cron.py          whom web-cron calls, and when
"""
