"""Beat: renew a lease, carry progress out, bring orders in."""

from sqlalchemy import Connection, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.errors import LeaseLost
from omkt_pipeline.domain.task import Orders, Task
from omkt_pipeline.queue.guard import leased


def beat(database: Database, held: Task, *, lease_seconds: float, progress: float) -> Orders:
    """Renew the lease of a held task by the database's clock. Raises LeaseLost when it is not ours any more.

    A beat that comes late but before anybody rescued the task still counts: the database or the host was slow. Nothing is
    locked between its statements: beats are most of what a host says, and one that loses its power must not keep its task
    from those who rescue it.
    """

    def renew(connection: Connection) -> Orders:
        matched = connection.execute(
            update(task).where(leased(held)).values(lease_until=now_plus(lease_seconds), progress=progress)
        ).rowcount
        if matched != 1:
            raise LeaseLost(f"task {held.id} attempt {held.attempt}")
        cancel = connection.execute(select(task.c.cancel_requested).where(task.c.id == held.id)).scalar_one()
        return Orders(cancel=bool(cancel))

    return database.repeat(renew)
