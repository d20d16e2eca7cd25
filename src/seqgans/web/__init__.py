"""The studio: a local web application for what is better looked at than read.

guards.py   which requests are answered at all, and what browsers may do with the answers
shell.py    pages, files beside them, and who may see what
runs.py     runs below given folders, by name
store.py    the Turing test's items, judges and answers in one SQLite file
items.py    real and generated sequences to be judged
scores.py   answers into scores, intervals, p-values, agreement
turing.py   the pages of judges, and of who set the test up
live.py     runs in progress
play.py     sampling by hand;  readings.py  what both players make of each token
pages/, static/   what the server does not change
app.py      all of it together;  serve.py  on 127.0.0.1

Nothing is fetched from anywhere: scripts and styles lie in static/. Starlette and uvicorn (the extra [studio]) are
imported where they are used.
"""
