//! Recordings: files below the data folder, their index, and the events that tell of them.
//!
//! Calls never wait for the disk: starts and finishes go to one task that writes the index, many at a time.

use crate::{
    call::sound::{Outcome, repair_recording},
    notify::Notifier,
    store::{self, recording},
};
use centro_kernel::{
    Clock, Code, ContactId, Fault, QueueId, RecordingId, TenantId, Timestamp, UserId,
};
use centro_node::Node;
use centro_proto::events::RecordingChanged;
use centro_store::{
    Db, Refused, fault,
    page::Pages,
    sea_orm::{
        ActiveValue::{Set, Unchanged},
        ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    },
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait for the disk.
const LINE: usize = 20_000;
/// Jobs written in one transaction.
const BATCH: usize = 64;
/// How long jobs are gathered for one transaction.
const GATHER: Duration = Duration::from_millis(50);

/// What is known of a recording when it starts.
#[derive(Debug, Clone)]
pub struct Started {
    /// Which one.
    pub id: RecordingId,
    /// Whose.
    pub tenant: TenantId,
    /// Which contact.
    pub contact: ContactId,
    /// Which queue.
    pub queue: Option<QueueId>,
    /// Which agent.
    pub agent: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// Below the folder of recordings.
    pub path: String,
}

enum Job {
    Start(Started),
    Finish(Started, Outcome, oneshot::Sender<()>),
}

/// The recordings of this node. Cheap to clone.
#[derive(Clone)]
pub struct Recordings {
    db: Db,
    node: Arc<str>,
    folder: Arc<PathBuf>,
    jobs: mpsc::Sender<Job>,
    clock: Arc<dyn Clock>,
    pages: Pages,
}

impl Recordings {
    /// Opens the index, closes what a crash left open, and starts the task that writes.
    ///
    /// # Errors
    /// When the folder or the database cannot be used.
    pub async fn open(node: &Node, notifier: Notifier, pages: Pages) -> Result<Self, Refused> {
        let folder = node.data().join("recordings");
        tokio::fs::create_dir_all(&folder)
            .await
            .map_err(Fault::internal)?;
        let db = store::open(node.records()).await?;
        let (jobs, waiting) = mpsc::channel(LINE);
        let recordings = Self {
            db,
            node: node.name().into(),
            folder: Arc::new(folder),
            jobs,
            clock: node.clock(),
            pages,
        };
        recordings.repair(&notifier).await?;
        let (db, name) = (recordings.db.clone(), recordings.node.clone());
        tokio::spawn(write(db, name, waiting, notifier));
        Ok(recordings)
    }

    /// A new recording's identity and file. The recorder's thread makes the folder.
    pub fn begin(
        &self,
        tenant: TenantId,
        contact: ContactId,
        queue: Option<QueueId>,
        agent: Option<UserId>,
    ) -> (Started, PathBuf) {
        let (id, at) = (RecordingId::generate(), self.clock.now());
        let path = format!("{tenant}/{}/{id}.wav", day(at));
        let file = self.folder.join(&path);
        let started = Started {
            id,
            tenant,
            contact,
            queue,
            agent,
            at,
            path,
        };
        (started, file)
    }

    /// Tells that a recording runs.
    pub fn started(&self, started: Started) {
        self.job(Job::Start(started));
    }

    /// Tells that it is over; returns when the index says so.
    pub async fn finished(&self, started: Started, outcome: Outcome) {
        let (done, written) = oneshot::channel();
        self.job(Job::Finish(started, outcome, done));
        let _ = written.await;
    }

    fn job(&self, job: Job) {
        if self.jobs.try_send(job).is_err() {
            tracing::error!(
                "the index of recordings is not written: the disk has been too slow for long"
            );
        }
    }

    /// What a crash left open becomes a valid file of what was on the disk.
    async fn repair(&self, notifier: &Notifier) -> Result<(), Fault> {
        for row in store::unfinished(&self.db, &self.node).await? {
            let file = self.folder.join(&row.path);
            let repaired = repair_recording(&file).inspect_err(|error| {
                tracing::warn!(recording = row.id, %error, "a recording that a crash left open cannot be repaired");
            });
            let outcome = Outcome {
                failed: repaired.is_err(),
                duration: repaired.unwrap_or_default(),
            };
            let Some(started) = started(&row) else {
                continue;
            };
            finish(&self.db.of(started.tenant), &started, outcome).await?;
            tell(notifier, "telephony.recording.finished", &started, outcome);
        }
        Ok(())
    }

    /// One recording of a tenant.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn get(&self, tenant: TenantId, id: RecordingId) -> Result<recording::Model, Fault> {
        let row = recording::Entity::find_by_id(id.to_string())
            .filter(recording::Column::TenantId.eq(tenant.to_string()))
            .one(&self.db.of(tenant))
            .await
            .map_err(fault)?;
        row.ok_or_else(|| Fault::not_found("recording", id))
    }

    /// A page of a tenant's recordings, latest first, and the token of the next page.
    ///
    /// # Errors
    /// `page_token_unknown`.
    pub async fn list(
        &self,
        tenant: TenantId,
        contact: Option<ContactId>,
        page_size: i32,
        page_token: &str,
    ) -> Result<(Vec<recording::Model>, String), Fault> {
        let limit = centro_store::page::limit(page_size);
        let pages = self.pages.list("recordings", tenant, &contact);
        let mut query =
            recording::Entity::find().filter(recording::Column::TenantId.eq(tenant.to_string()));
        if let Some(contact) = contact {
            query = query.filter(recording::Column::ContactId.eq(contact.to_string()));
        }
        if let Some(last) = pages.after::<String>(page_token)? {
            query = query.filter(recording::Column::Id.lt(last));
        }
        let rows = query
            .order_by_desc(recording::Column::Id)
            .limit(limit + 1)
            .all(&self.db.of(tenant))
            .await;
        let mut rows = rows.map_err(fault)?;
        let next = pages.next(&mut rows, limit, |row| row.id.clone());
        Ok((rows, next))
    }

    /// The file of a recording.
    ///
    /// # Errors
    /// `internal` when the index names a file outside its folder.
    pub fn file(&self, row: &recording::Model) -> Result<PathBuf, Fault> {
        let inside = Path::new(&row.path)
            .components()
            .all(|c| matches!(c, std::path::Component::Normal(_)));
        if inside {
            Ok(self.folder.join(&row.path))
        } else {
            Err(Fault::new(
                Code::Internal,
                "internal",
                "the recording cannot be read",
            ))
        }
    }
}

async fn write(db: Db, node: Arc<str>, mut waiting: mpsc::Receiver<Job>, notifier: Notifier) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        // A transaction costs the same for one job as for many, and nobody waits for these moments.
        let gathered = async {
            while batch.len() < BATCH {
                let Some(job) = waiting.recv().await else {
                    break;
                };
                batch.push(job);
            }
        };
        let _ = tokio::time::timeout(GATHER, gathered).await;
        while let Err(error) = write_batch(&db, &node, &batch).await {
            tracing::error!(%error, "the index of recordings cannot be written; trying again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        for job in batch.drain(..) {
            match job {
                Job::Start(s) => tell(
                    &notifier,
                    "telephony.recording.started",
                    &s,
                    Outcome::default(),
                ),
                Job::Finish(s, outcome, done) => {
                    tell(&notifier, "telephony.recording.finished", &s, outcome);
                    let _ = done.send(());
                }
            }
        }
    }
}

async fn write_batch(db: &Db, node: &str, batch: &[Job]) -> Result<(), Fault> {
    // Calls of several tenants are written together.
    let txn = db.of_all().begin().await.map_err(fault)?;
    for job in batch {
        match job {
            Job::Start(started) => {
                let row = recording::ActiveModel {
                    id: Set(started.id.to_string()),
                    tenant_id: Set(started.tenant.to_string()),
                    contact_id: Set(started.contact.to_string()),
                    queue_id: Set(started.queue.map(|q| q.to_string()).unwrap_or_default()),
                    agent_id: Set(started.agent.map(|a| a.to_string()).unwrap_or_default()),
                    started_ms: Set(started.at.as_millis()),
                    duration_ms: Set(0),
                    finished: Set(false),
                    failed: Set(false),
                    path: Set(started.path.clone()),
                    node: Set(node.to_owned()),
                };
                recording::Entity::insert(row)
                    .exec_without_returning(&txn)
                    .await
                    .map_err(fault)?;
            }
            Job::Finish(started, outcome, _) => finish(&txn, started, *outcome).await?,
        }
    }
    txn.commit().await.map_err(fault)
}

async fn finish<C: centro_store::sea_orm::ConnectionTrait>(
    db: &C,
    started: &Started,
    outcome: Outcome,
) -> Result<(), Fault> {
    let row = recording::ActiveModel {
        id: Unchanged(started.id.to_string()),
        duration_ms: Set(i64::try_from(outcome.duration.as_millis()).unwrap_or(i64::MAX)),
        finished: Set(true),
        failed: Set(outcome.failed),
        ..Default::default()
    };
    recording::Entity::update_many()
        .set(row)
        .filter(recording::Column::Id.eq(started.id.to_string()))
        .exec(db)
        .await
        .map_err(fault)?;
    Ok(())
}

fn started(row: &recording::Model) -> Option<Started> {
    Some(Started {
        id: row.id.parse().ok()?,
        tenant: row.tenant_id.parse().ok()?,
        contact: row.contact_id.parse().ok()?,
        queue: row.queue_id.parse().ok(),
        agent: row.agent_id.parse().ok(),
        at: Timestamp::from_millis(row.started_ms),
        path: row.path.clone(),
    })
}

fn tell(notifier: &Notifier, kind: &str, started: &Started, outcome: Outcome) {
    let event = RecordingChanged {
        recording_id: started.id.to_string(),
        contact_id: started.contact.to_string(),
        queue_id: started.queue.map(|q| q.to_string()).unwrap_or_default(),
        agent_id: started.agent.map(|a| a.to_string()).unwrap_or_default(),
        duration_ms: u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX),
        failed: outcome.failed,
    };
    notifier.tell(Some(started.tenant), kind, started.contact, &event);
}

/// `yyyy-mm-dd` in UTC (days to civil date, after Howard Hinnant).
fn day(at: Timestamp) -> String {
    let days = at.as_millis().div_euclid(86_400_000) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_bus::LocalBus;
    use centro_cluster::{Epoch, LocalOwnership};
    use centro_contract::Keys;
    use centro_kernel::TestClock;
    use centro_node::{Lifecycle, Limits, NodeBuilder, Records};
    use centro_testkit::engines::{self, on_both_engines};

    /// A process, on the records of others and with a folder of its own.
    async fn process(name: &str, data: &Path, records: &Records) -> Recordings {
        let (bus, lifecycle) = (Arc::new(LocalBus::default()), Lifecycle::default());
        let clock = Arc::new(TestClock::at(Timestamp::from_millis(1_790_000_000_000)));
        let node = NodeBuilder {
            name: name.to_owned(),
            bus: bus.clone(),
            clock: clock.clone(),
            ownership: Arc::new(LocalOwnership::new(Epoch(1))),
            keys: Keys::new(&[7; 32]),
            data: data.join(name),
            records: records.clone(),
            arbiters: Vec::new(),
            lifecycle: lifecycle.clone(),
        };
        let notifier = Notifier::start(bus, clock, lifecycle);
        let recordings = Recordings::open(&node.build(), notifier, Pages::new(&[7; 32])).await;
        recordings.unwrap()
    }

    #[on_both_engines]
    async fn a_start_closes_what_its_own_crash_left_open_and_nothing_of_others() {
        let data = tempfile::tempdir().unwrap();
        let url = engines::records().await;
        let records = Records::at(&url, data.path(), Limits::default()).unwrap();
        let tenant = TenantId::from_u128(1);
        let mut begun = Vec::new();
        for name in ["one", "two"] {
            let recordings = process(name, data.path(), &records).await;
            let contact = ContactId::generate();
            let (started, _) = recordings.begin(tenant, contact, None, None);
            recordings.started(started.clone());
            while recordings.get(tenant, started.id).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            begun.push(started.id);
        }
        let again = process("two", data.path(), &records).await;
        let finished = async |id| again.get(tenant, id).await.unwrap().finished;
        assert!(
            !finished(begun[0]).await,
            "it is recorded by another process"
        );
        assert!(finished(begun[1]).await, "its process has started again");
    }

    #[test]
    fn days_are_named_as_the_calendar_does() {
        for (millis, name) in [
            (0, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (1_795_478_399_999, "2026-11-23"),
            (1_795_478_400_000, "2026-11-24"),
        ] {
            assert_eq!(day(Timestamp::from_millis(millis)), name);
        }
    }
}
