"""The database of the retailer's own Odoo stops at the height of a weekend promotion.

Claim   Once the database is started again, orders are accepted again by themselves, within the
        declared RTO of the moment at which it stopped; not one acknowledged order, sale at a
        till, invoice or document is lost, and none was taken twice.
Method  Weekend-promotion load. Then the owner's own command stops the database at once, as a
        crash would, and fifteen seconds later another one starts it. The RTO runs from the stop,
        so those seconds are part of it: what comes on top of them is the platform's own doing.
        Nobody restarts the application; the drill watches.
Why     It is the least that every Odoo must survive, and it needs no control over any machine:
        two shell commands are enough. What hangs on a lost connection shows here first.
"""

from harness import Scenario, automatic, checks, experiment, load

scenario = Scenario(
    name="database-outage",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("command", command="database-stop", hold_s="15"),
    recovery=automatic(within_s=120),
    checks=[checks.rto, checks.rpo, checks.stores_agree],
    requires={"application", "database.read", "faults.command"},
    tags={"peak", "odoo"},
)
