# SPDX-License-Identifier: Apache-2.0

"""The kinds of work at Larkfield Health: who does it, on what, through which door, and what is typed.

Tables only. Commands are of the harmless, everyday sort; the secrets in some of them are invented and are there to be
masked by the connectors.
"""

import msgspec

from app.demo.model import Door


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of task. ``weight`` is its share of the days' accesses; ``hours`` the windows that are asked for."""

    door: Door
    team: str
    target: str
    role: str
    weight: int
    purposes: tuple[str, ...]
    commands: tuple[str, ...]
    hours: tuple[int, ...] = (1, 2, 2, 4)


_SERVER_PURPOSES = (
    "restart the stuck appointment worker",
    "check disk space after the backup alarm",
    "read the service log around the failed import",
    "replace the expiring certificate",
    "apply the pending security updates",
    "move the log rotation to the new volume",
)
_SERVER_COMMANDS = (
    "/usr/bin/systemctl status appointment-worker",
    "/usr/bin/journalctl -u appointment-worker --since -2h",
    "/usr/bin/df -h",
    "/usr/bin/systemctl restart appointment-worker",
    "/usr/bin/apt-get -s upgrade",
    "/usr/bin/openssl x509 -noout -enddate -in /etc/larkfield/tls/server.pem",
    "/usr/bin/tail -n 200 /var/log/larkfield/import.log",
    "/usr/bin/curl -sS http://127.0.0.1:8080/health",
)
_CLUSTER_PURPOSES = (
    "look into restarting pods of the portal",
    "check the rollout of the portal release",
    "read the resolver settings in the running pod",
    "confirm the memory limit after the alarm",
)
_CLUSTER_COMMANDS = (
    "/bin/sh -c cat /etc/resolv.conf",
    "/bin/sh -c ps aux",
    "/bin/sh -c env | grep PORTAL_RELEASE",
    "/bin/sh -c df -h /data",
)
_WAREHOUSE_PURPOSES = (
    "repair the nightly load of the visits mart",
    "check the row counts after the reload",
    "add the missing index on the visits mart",
)
_WAREHOUSE_COMMANDS = (
    "select count(*) from mart.visits where load_date = current_date",
    "select status, count(*) from etl.run where started_at > now() - interval '1 day' group by status",
    "create index if not exists visits_load_date on mart.visits (load_date)",
    "update etl.run set status = 'retry' where id = 48213",
)
_PATIENT_PURPOSES = (
    "correct the duplicate appointment reported by the front desk",
    "check the replication delay of the records database",
    "unlock the batch that blocks the night run",
    "verify the merge of two patient files after the change",
)
_PATIENT_COMMANDS = (
    "select id, state from appointment.slot where id = 771204",
    "update appointment.slot set state = 'free' where id = 771204",
    "select now() - pg_last_xact_replay_timestamp()",
    "select pid, state, wait_event from pg_stat_activity where datname = 'patient'",
)
_CLAIMS_PURPOSES = (
    "release the claim that is stuck in validation",
    "check the totals of the monthly claims run",
    "correct the payer code reported by the claims desk",
)
_CLAIMS_COMMANDS = (
    "select id, state from claim where id = 550913",
    "update claim set state = 'ready' where id = 550913",
    "select payer, sum(amount) from claim where period = '2026-07' group by payer",
)
_BILLING_COMMANDS = (
    "select number, state from invoice where number = 'LH-2026-08841'",
    "select count(*) from invoice where state = 'open'",
    "select state, count(*) from invoice where period = '2026-Q3' group by state",
)

WORK: tuple[Work, ...] = (
    Work(door="teleport_ssh", team="platform", target="app-01", role="app-ops", weight=22,
         purposes=_SERVER_PURPOSES, commands=_SERVER_COMMANDS),
    Work(door="teleport_ssh", team="linux", target="app-02", role="app-ops", weight=20,
         purposes=_SERVER_PURPOSES, commands=_SERVER_COMMANDS),
    Work(door="teleport_ssh", team="linux", target="imaging-gw", role="imaging-ops", weight=8,
         purposes=_SERVER_PURPOSES, commands=_SERVER_COMMANDS),
    Work(door="teleport_ssh", team="vendor", target="imaging-gw", role="imaging-ops", weight=4,
         purposes=("yearly service of the imaging gateway", "tune the transfer queue with the imaging desk"),
         commands=_SERVER_COMMANDS[:3], hours=(2, 4)),
    Work(door="teleport_ssh", team="platform", target="app-stg-01", role="staging-ops", weight=6,
         purposes=("rehearse the update on staging",), commands=_SERVER_COMMANDS),
    Work(door="teleport_kube", team="platform", target="kube-prod", role="cluster-ops", weight=18,
         purposes=_CLUSTER_PURPOSES, commands=_CLUSTER_COMMANDS),
    Work(door="teleport_db", team="analytics", target="analytics-dw", role="dw-engineer", weight=11,
         purposes=_WAREHOUSE_PURPOSES, commands=_WAREHOUSE_COMMANDS),
    Work(door="hoop", team="dba", target="patient-db", role="patient-db", weight=7,
         purposes=_PATIENT_PURPOSES, commands=_PATIENT_COMMANDS),
    Work(door="hoop", team="dba", target="claims-db", role="claims-db", weight=5,
         purposes=_CLAIMS_PURPOSES, commands=_CLAIMS_COMMANDS),
    Work(door="hoop", team="dba", target="claims-stg-db", role="claims-stg-db", weight=2,
         purposes=("rehearse the claims correction on staging",), commands=_CLAIMS_COMMANDS),
    Work(door="openbao", team="dba", target="billing-db", role="billing-ro", weight=10,
         purposes=("answer the question of billing about open invoices",), commands=_BILLING_COMMANDS, hours=(1, 2)),
    Work(door="sudo", team="linux", target="integration-01", role="root", weight=4,
         purposes=("restart the message interface after the vendor patch", "clear the dead letter queue"),
         commands=("/usr/bin/systemctl restart hl7-router", "/usr/bin/tail -n 100 /var/log/hl7/router.log",
                   "/usr/sbin/logrotate -f /etc/logrotate.d/hl7")),
)  # fmt: skip
