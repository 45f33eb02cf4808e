"""What a settled attempt changes beside its own row: one function for each verb, in the settling transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from omkt_pipeline.db.tables import job, media, output, task
from omkt_pipeline.domain.effects import Encoded, Fetched, Measured, Planned, Probed, Published, Settlement
from omkt_pipeline.domain.errors import Stopped
from omkt_pipeline.domain.job import JobState, MediaState, OutputState
from omkt_pipeline.domain.plan import Decision
from omkt_pipeline.domain.task import Task, TaskKind, TaskState
from omkt_pipeline.queue.endings import fail_job, succeed_job
from omkt_pipeline.queue.enqueue import JobRef, add_tasks
from omkt_pipeline.queue.outbox import announce
from omkt_pipeline.queue.quotas import over_the_day


def apply(connection: Connection, held: Task, settlement: Settlement) -> None:
    """Write the effect of a settlement."""
    match settlement.effect:
        case Fetched() as effect:
            _fetched(connection, held, effect)
        case Probed() as effect:
            connection.execute(
                update(media)
                .where(media.c.id == held.media_id)
                .values(facts=dict(effect.facts), raw_probe=dict(effect.raw), state=MediaState.PROBED)
            )
        case Measured() as effect:
            _measured(connection, held, effect)
        case Planned() as effect:
            _planned(connection, held, effect)
        case Published() as effect:
            _published(connection, held, settlement, effect)
        case Encoded():
            pass  # its facts stand in the task's own row


def _fetched(connection: Connection, held: Task, effect: Fetched) -> None:
    connection.execute(
        update(media)
        .where(media.c.id == held.media_id)
        .values(
            path=effect.path,
            bytes=effect.bytes,
            sha256=effect.sha256,
            name=func.coalesce(media.c.name, effect.name),
            state=MediaState.STORED,
        )
    )


def _measured(connection: Connection, held: Task, effect: Measured) -> None:
    """Add it to what is known of the media; probing anew forgets it."""
    mine = media.c.id == held.media_id
    facts = connection.execute(select(media.c.facts).where(mine).with_for_update()).scalar() or {}
    connection.execute(update(media).where(mine).values(facts={**facts, "measured": dict(effect.measures)}))


def _planned(connection: Connection, held: Task, effect: Planned) -> None:
    row = connection.execute(
        select(job.c.band, job.c.state, job.c.decisions, job.c.minutes).where(job.c.id == held.job_id).with_for_update()
    ).one()
    if row.state != JobState.RUNNING:
        raise Stopped("cancelled", code="cancelled")
    plan = effect.plan
    connection.execute(
        update(job).where(job.c.id == held.job_id).values(decisions=_with(row.decisions or [], plan.decisions))
    )
    minutes = _minutes(connection, held.media_id)
    counted = not plan.outputs or row.minutes is not None  # what is added later is of minutes that were counted
    limit = None if counted else over_the_day(connection, held.account_id, minutes)
    if limit is not None:
        said = f"The source has {minutes:.1f} minutes, and the account may have {limit:g} made in 24 hours. Try again later."
        fail_job(connection, held.job_id, code="quota_minutes", message=said)
        return
    reference = JobRef(
        id=held.job_id, key=held.job_key, media_id=held.media_id, account_id=held.account_id, band=row.band
    )
    if not plan.outputs:
        if plan.tasks:  # samples, and a plan that knows what they took
            add_tasks(connection, reference, plan.tasks)
        else:  # all that was asked for is to have the source here and to know it
            succeed_job(connection, held.job_id)
        return
    connection.execute(
        insert(output),
        [
            {
                "job_id": held.job_id,
                "output_key": one.key,
                "preset": one.preset,
                "preset_version": one.preset_version,
                "recipe": one.recipe,
                "kind": one.kind,
                "state": OutputState.SKIPPED if one.skipped else OutputState.PENDING,
            }
            for one in plan.outputs
        ],
    )
    connection.execute(update(job).where(job.c.id == held.job_id).values(minutes=minutes))
    add_tasks(connection, reference, plan.tasks)
    if all(one.skipped for one in plan.outputs):
        refusal = next((one for one in plan.decisions if one.code == plan.outputs[0].skipped), None)
        _end_if_all_is_there(connection, held.job_id, refusal)


def _with(earlier: list[Any], decisions: Sequence[Decision]) -> list[Any]:
    """All decisions about a job, each once."""
    said = list(earlier)
    said += [one for decision in decisions if (one := decision.model_dump(mode="json")) not in said]
    return said


def _minutes(connection: Connection, media_id: int) -> float:
    facts = connection.execute(select(media.c.facts).where(media.c.id == media_id)).scalar() or {}
    return float(facts.get("duration") or 0.0) / 60


def _published(connection: Connection, held: Task, settlement: Settlement, effect: Published) -> None:
    connection.execute(
        update(output)
        .where(
            output.c.job_id == held.job_id,
            output.c.output_key == effect.output,
            output.c.state == OutputState.PENDING,
        )
        .values(
            state=OutputState.PUBLISHED,
            task_id=held.id,
            folder=settlement.folder,
            entry=effect.entry,
            bytes=sum(file.bytes for file in settlement.artifacts),
            result=dict(effect.result),
        )
    )
    announce(connection, held.job_id, "output.published", output=effect.output)
    _end_if_all_is_there(connection, held.job_id, None)


def _end_if_all_is_there(connection: Connection, job_id: int, refusal: Decision | None) -> None:
    """End a job of which no output is open and no plan either: well, unless none could be made, for the reason of the last."""
    # Two last outputs that settle at once: the second waits here and then counts none.
    connection.execute(select(job.c.id).where(job.c.id == job_id).with_for_update())
    open_outputs = select(func.count()).where(
        output.c.job_id == job_id, output.c.state.not_in((OutputState.PUBLISHED, OutputState.SKIPPED))
    )
    open_plans = select(func.count()).where(
        task.c.job_id == job_id, task.c.kind == TaskKind.PLAN, task.c.state < TaskState.DONE
    )
    if connection.execute(select(open_outputs.scalar_subquery() + open_plans.scalar_subquery())).scalar_one() > 0:
        return
    made = select(func.count()).where(output.c.job_id == job_id, output.c.state == OutputState.PUBLISHED)
    if refusal is not None and connection.execute(made).scalar_one() == 0:
        fail_job(connection, job_id, code=refusal.code, message=refusal.message)
    else:
        succeed_job(connection, job_id)
