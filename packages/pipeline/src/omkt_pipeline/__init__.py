"""The nouns of the farm: imported by every service, run by none.

domain/     pure values and state machines: media, job, task, preset, plan, errors
planning/   pure: facts + presets -> a plan with reasons
queue/      submit, claim, beat, settle, release, rescue; the outbox; read-only overviews
db/         engine, tables, migrations
storage/    where everything lies on the share; mount check, publish by rename, checksums
media/      running child processes; ffprobe's JSON to our values
worker      the loop every daemon runs
"""
