//! One process's part in the table: the tasks that renew its session, look, and do what the rules say.

use super::{
    Away, Error, Keys, Link, Settings,
    first_look::{self, check_owner, patiently},
    metrics, scripts,
};
use crate::{
    Changes, Member, Members, Owner, Ownership, SHARDS, Shard,
    lease::{Beat, Lease, Moment, Order, Session},
};
use parking_lot::{Mutex, RwLock};
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, broadcast, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

/// Changes kept for a watcher that is slow: everything lost and gained again, twice.
const UNREAD: usize = 4 * SHARDS as usize;

/// Ownership among processes that share a Redis. Cheap to clone; when the last clone is dropped its tasks end, and the
/// session a session time later.
#[derive(Debug, Clone)]
pub struct RedisOwnership {
    inner: Arc<Inner>,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

/// Says how much goes on.
type Work = Box<dyn Fn() -> u32 + Send + Sync>;

struct Inner {
    lease: RwLock<Lease>,
    changes: broadcast::Sender<crate::Change>,
    started: Instant,
    link: Link,
    keys: Keys,
    settings: Settings,
    nonce: Arc<str>,
    /// Something about us is to be written down at once.
    news: Notify,
    /// The table is to be looked at at once.
    look: Notify,
    /// Everything was given away.
    drained: watch::Sender<bool>,
    /// We are to do nothing new.
    aside: watch::Sender<bool>,
    work: OnceLock<Work>,
    over: watch::Sender<bool>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("nonce", &self.nonce)
            .finish_non_exhaustive()
    }
}

impl RedisOwnership {
    /// Joins as `me`. Processes with the role `owning` own shards; others only know who does. `installation` says whose
    /// centre this is, the same in all its processes. Shards come a session time later.
    ///
    /// # Errors
    /// A setting is wrong, Redis is away, the keys are somebody else's, or the name is taken.
    pub async fn join(
        settings: &Settings,
        me: Member,
        owning: &str,
        installation: &str,
    ) -> Result<Self, Error> {
        settings.validate().map_err(Error::Settings)?;
        if me.name.is_empty() || me.name.contains(['|', '\n']) {
            return Err(Error::Settings(
                "node.name must not be empty or contain |".into(),
            ));
        }
        let link =
            Link::new(settings).map_err(|e| Error::Settings(format!("cluster.redis.url: {e}")))?;
        let nonce: Arc<str> = Arc::from(format!("{}|{:016x}", me.name, rand::random::<u64>()));
        let session = Session {
            name: me.name,
            nonce: nonce.clone(),
            roles: me.roles,
            address: me.address,
            ready: false,
            draining: me.draining,
            work: 0,
            since: 0,
        };
        let lease = Lease::new(
            session,
            Arc::from(owning),
            settings.timing(),
            Duration::ZERO,
        );
        let inner = Arc::new(Inner {
            lease: RwLock::new(lease),
            changes: broadcast::channel(UNREAD).0,
            started: Instant::now(),
            link,
            keys: Keys::new(&settings.prefix),
            settings: settings.clone(),
            nonce,
            news: Notify::new(),
            look: Notify::new(),
            drained: watch::Sender::new(false),
            aside: watch::Sender::new(false),
            work: OnceLock::new(),
            over: watch::Sender::new(false),
        });
        inner.check_version(installation).await?;
        inner.begin().await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(inner.clone().beat());
        tasks.spawn(inner.clone().look());
        tasks.spawn(inner.clone().watch_certainty());
        let tasks = Arc::new(Mutex::new(tasks));
        Ok(Self { inner, tasks })
    }

    /// What stands behind the epoch in this process's tokens.
    pub fn nonce(&self) -> &Arc<str> {
        &self.inner.nonce
    }

    /// How much goes on in this process, told to the others with each renewal. Must answer at once. Counts once.
    pub fn tell_work(&self, work: impl Fn() -> u32 + Send + Sync + 'static) {
        let _ = self.inner.work.set(Box::new(work));
    }

    /// Whether somebody wants this process to do nothing new, from now on.
    pub fn aside(&self) -> watch::Receiver<bool> {
        self.inner.aside.subscribe()
    }

    /// Gives everything away, begins nothing new, and is there until it leaves. Does not wait.
    pub fn give_away(&self) {
        let inner = &self.inner;
        inner.change(|lease, _| lease.drain());
        inner.news.notify_one();
        inner.look.notify_one();
    }

    /// Gives everything away and leaves. Others have it a moment later.
    ///
    /// # Errors
    /// It did not come to an end in time; what is left is free when the session ends.
    pub async fn drain(&self) -> Result<(), Error> {
        self.give_away();
        let inner = &self.inner;
        let patience = 2 * inner.settings.session;
        let mut drained = inner.drained.subscribe();
        let given = timeout(patience, drained.wait_for(|drained| *drained));
        let given = given.await.is_ok();
        let _ = inner.over.send(true);
        // A renewal that is on its way would bring the session back.
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        while tasks.join_next().await.is_some() {}
        if !given {
            return Err(Error::NotDrained(patience));
        }
        let (keys, me) = (inner.session_keys(), inner.lease.read().me().clone());
        let left = inner.ask(move |link| scripts::leave(link, keys, me)).await;
        left.map_err(|why| inner.away(why))
    }
}

impl Ownership for RedisOwnership {
    fn owner(&self, shard: Shard) -> Option<Owner> {
        let lease = self.inner.lease.read();
        lease.owner(shard, self.inner.now())
    }

    fn is_dead(&self, node: &str) -> bool {
        self.inner.lease.read().is_dead(node)
    }

    fn changes(&self) -> Changes {
        // Under the lock: what is asked afterwards is not older than the first change.
        let _lease = self.inner.lease.read();
        Changes(self.inner.changes.subscribe())
    }
}

impl Members for RedisOwnership {
    fn members(&self) -> Vec<Member> {
        self.inner.lease.read().members().collect()
    }

    fn member(&self, name: &str) -> Option<Member> {
        let lease = self.inner.lease.read();
        lease.member(name).map(|session| lease.shown(session))
    }
}

impl Inner {
    fn now(&self) -> Moment {
        self.started.elapsed()
    }

    /// Lets the rules know something, and tells watchers what follows from it, in this order.
    fn change<T>(&self, tell: impl FnOnce(&mut Lease, Moment) -> T) -> T {
        let mut lease = self.lease.write();
        let told = tell(&mut lease, self.now());
        for change in lease.changes() {
            let _ = self.changes.send(change);
        }
        told
    }

    async fn ask<T, F>(
        &self,
        ask: impl FnOnce(redis::aio::ConnectionManager) -> F + Send + 'static,
    ) -> Result<T, Away>
    where
        F: Future<Output = redis::RedisResult<T>> + Send,
        T: Send + 'static,
    {
        self.link.ask(self.settings.timing().patience(), ask).await
    }

    fn away(&self, why: Away) -> Error {
        Error::of(&self.settings, why)
    }

    fn session_keys(&self) -> (String, String) {
        let lease = self.lease.read();
        (self.keys.session(&lease.me().name), self.keys.names())
    }

    async fn check_version(&self, installation: &str) -> Result<(), Error> {
        let ours = first_look::ours(installation);
        let version = self.keys.version();
        let wanted = ours.clone();
        let found = patiently(&self.link, &self.settings, move |link| {
            scripts::join(link, version.clone(), wanted.clone())
        })
        .await?;
        check_owner(&self.settings, found, ours)
    }

    /// Begins the session. One that this name had before may have to end first.
    async fn begin(&self) -> Result<(), Error> {
        let tried = Instant::now();
        let patience = self.settings.session * 3 / 2;
        loop {
            match self.renew().await {
                Ok(Beat::Lives { .. }) => return Ok(()),
                _ if tried.elapsed() < patience => sleep(self.settings.poll).await,
                Ok(Beat::Taken) => {
                    return Err(Error::NameTaken(self.lease.read().me().name.to_string()));
                }
                Err(why) => return Err(self.away(why)),
            }
        }
    }

    async fn renew(&self) -> Result<Beat, Away> {
        if let Some(work) = self.work.get() {
            let work = work();
            self.lease.write().works(work);
        }
        let (keys, me) = (self.session_keys(), self.lease.read().me().clone());
        let ttl = u64::try_from(self.settings.session.as_millis()).unwrap_or(u64::MAX);
        let sent = self.now();
        let beat = self
            .ask(move |link| scripts::beat(link, keys, me, ttl))
            .await;
        match &beat {
            Ok(beat) => self.change(|lease, now| lease.beaten(sent, now, *beat)),
            Err(error) => {
                tracing::warn!(%error, "this process's session was not renewed");
                self.change(|lease, now| lease.failed(now));
            }
        }
        beat
    }

    async fn beat(self: Arc<Self>) {
        let mut pause = self.settings.beat;
        while !self.rest(pause, &self.news).await {
            let lapses = self.lease.read().lapses();
            let renewed = self.renew().await;
            // One that failed has already taken its time.
            pause = self.settings.beat / if renewed.is_ok() { 1 } else { 5 };
            if matches!(renewed, Ok(Beat::Taken)) {
                tracing::error!("another process has this one's name");
            }
            if self.lease.read().lapses() != lapses {
                tracing::warn!("this process's session had ended, and begins again");
            }
        }
    }

    /// Sleeps, or less when it is notified. True when all is over.
    async fn rest(&self, pause: Duration, wake: &Notify) -> bool {
        let mut over = self.over.subscribe();
        tokio::select! {
            _ = over.wait_for(|over| *over) => true,
            () = wake.notified() => *self.over.borrow(),
            () = sleep(pause) => false,
        }
    }

    async fn look(self: Arc<Self>) {
        loop {
            let began = self.now();
            match self.look_once(began).await {
                Ok(orders) => self.carry_out(orders).await,
                Err(error) => {
                    tracing::warn!(%error, "the owners of shards are not known");
                    self.change(|lease, now| lease.failed(now));
                }
            }
            let pause = self.settings.poll.saturating_sub(self.now() - began);
            if self.rest(pause, &self.look).await {
                return;
            }
        }
    }

    async fn look_once(&self, began: Moment) -> Result<(Vec<Order>, u64), Away> {
        let keys = self.keys.clone();
        let look = self
            .ask(|link| async move { scripts::look(link, &keys).await })
            .await?;
        let (orders, lapses, news, drained, aside) = self.change(|lease, now| {
            let before = lease.me().clone();
            let orders = lease.looked(began, now, &look);
            let drained = lease.me().draining && lease.is_empty() && orders.is_empty();
            metrics::looked(lease);
            let news = before != *lease.me();
            (orders, lease.lapses(), news, drained, lease.is_aside())
        });
        self.aside
            .send_if_modified(|known| std::mem::replace(known, aside) != aside);
        if news {
            self.news.notify_one();
        }
        self.drained
            .send_if_modified(|known| !std::mem::replace(known, drained) && drained);
        Ok((orders, lapses))
    }

    async fn carry_out(self: &Arc<Self>, (orders, lapses): (Vec<Order>, u64)) {
        let mut all = JoinSet::new();
        for order in orders {
            let inner = self.clone();
            all.spawn(async move {
                if let Err(error) = inner.obey(order, lapses).await {
                    tracing::warn!(%error, "a change of owner failed");
                    inner.change(|lease, now| lease.failed(now));
                }
            });
        }
        while all.join_next().await.is_some() {}
    }

    async fn obey(&self, order: Order, lapses: u64) -> Result<(), Away> {
        match order {
            Order::Claim { shard, seen, until } => {
                let (keys, nonce) = (self.keys.clone(), self.nonce.to_string());
                let from_nobody = seen.is_empty();
                let claim = self.ask(move |link| async move {
                    scripts::claim(link, (&keys, shard), (seen, until), nonce).await
                });
                if let Some((epoch, pause)) = claim.await? {
                    metrics::gained(from_nobody, pause);
                    self.change(|lease, now| lease.claimed(shard, epoch, lapses, now));
                }
            }
            Order::Release { shard, token } => {
                let keys = self.keys.clone();
                self.ask(
                    move |link| async move { scripts::release(link, (&keys, shard), token).await },
                )
                .await?;
                metrics::given_back();
            }
        }
        Ok(())
    }

    /// Says what is lost when certainty ends. Who asks knows it at once.
    async fn watch_certainty(self: Arc<Self>) {
        let never = Notify::new();
        loop {
            let left = self.lease.read().sure_until().saturating_sub(self.now());
            let poll = self.settings.poll;
            let pause = if left.is_zero() { poll } else { left.min(poll) };
            if self.rest(pause, &never).await {
                return;
            }
            self.change(|lease, now| lease.tick(now));
        }
    }
}
