//! The floor as it is now, for lists: updated after each step was stored, so that a list asks no actor and walks over
//! nothing but what it shows.

mod figures;
mod followers;
pub mod past;
mod zone;

pub use figures::Figures;
pub use zone::Zone;

use crate::{by_id::ById, directory::Directory, store::Said};
use centro_kernel::{ContactId, QueueId, TenantId, Timestamp, UserId};
use centro_proto::routing as pb;
use centro_routing_core::{
    Desktop, Entry, Event, Part, Place, QueueChange, State, View, figures::Serving,
};
use followers::Followers;
use parking_lot::RwLock;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};
use tokio::sync::mpsc;
use tonic::Status;

/// The line of one queue.
#[derive(Default)]
struct Line {
    order: BTreeMap<Place, Arc<Entry>>,
    places: ById<ContactId, Place>,
    /// By the time they entered.
    ages: BTreeSet<(Timestamp, ContactId)>,
}

impl Line {
    fn put(&mut self, entry: Arc<Entry>, place: Place) {
        // Nearly always something else changed than where it waits.
        if self.places.get(&entry.contact) == Some(&place)
            && let Some(there) = self.order.get_mut(&place)
            && there.enqueued_at == entry.enqueued_at
        {
            *there = entry;
            return;
        }
        self.remove(entry.contact);
        self.places.insert(entry.contact, place);
        self.ages.insert((entry.enqueued_at, entry.contact));
        self.order.insert(place, entry);
    }

    fn remove(&mut self, contact: ContactId) {
        if let Some(place) = self.places.remove(&contact)
            && let Some(entry) = self.order.remove(&place)
        {
            self.ages.remove(&(entry.enqueued_at, contact));
        }
    }
}

/// A queue as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many wait.
    pub waiting: u32,
    /// When the contact that waits longest entered.
    pub longest_since: Option<Timestamp>,
    /// The first in order of service.
    pub first: Vec<Arc<Entry>>,
}

/// What those do who are logged in to a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Staff {
    /// All of them.
    pub logged_in: u32,
    /// Can take the next contact.
    pub ready: u32,
    /// Paused.
    pub paused: u32,
    /// Talk.
    pub in_contact: u32,
    /// Wrap up.
    pub in_wrap_up: u32,
    /// Missed offers.
    pub not_responding: u32,
    /// Reserved, or their phone rings.
    pub alerting: u32,
    /// Ready, but their phone cannot be rung.
    pub unreachable: u32,
}

impl Staff {
    /// Those who serve the queue. Whoever is paused, does not respond or cannot be reached does not.
    pub const fn serving(&self) -> Serving {
        Serving {
            agents: self.ready + self.alerting + self.in_contact + self.in_wrap_up,
            free: self.ready,
        }
    }

    fn count(&mut self, view: &View, part: &Part) {
        if let Some(count) = self.field(view, part) {
            *count += 1;
        }
    }

    fn uncount(&mut self, view: &View, part: &Part) {
        if let Some(count) = self.field(view, part) {
            *count = count.saturating_sub(1);
        }
    }

    /// Where an agent counts in one of the agent's queues.
    fn field(&mut self, view: &View, part: &Part) -> Option<&mut u32> {
        Some(match view.state {
            State::Ready if *part == Part::NotResponding => &mut self.not_responding,
            State::Ready if *part != Part::Taken => &mut self.paused,
            State::Ready if view.desktop == Desktop::Gone => &mut self.unreachable,
            State::Ready if !view.device_online => &mut self.unreachable,
            State::Ready => &mut self.ready,
            State::Paused => &mut self.paused,
            State::Reserved | State::Alerting => &mut self.alerting,
            State::Connected => &mut self.in_contact,
            State::WrapUp => &mut self.in_wrap_up,
            State::NotResponding => &mut self.not_responding,
            State::LoggedOut => return None,
        })
    }
}

/// Everybody who is logged in to one queue.
#[derive(Default)]
struct Team {
    members: BTreeSet<UserId>,
    staff: Staff,
}

#[derive(Default)]
struct Teams(ById<QueueId, Team>);

#[derive(Default)]
struct People {
    views: ById<TenantId, BTreeMap<UserId, View>>,
    teams: Teams,
}

impl Teams {
    fn come(&mut self, view: &View) {
        for membership in view.memberships.iter() {
            let team = self.0.entry(membership.queue).or_default();
            team.members.insert(view.agent);
            team.staff.logged_in += 1;
            team.staff.count(view, &membership.part);
        }
    }

    fn go(&mut self, view: &View) {
        for membership in view.memberships.iter() {
            let Some(team) = self.0.get_mut(&membership.queue) else {
                continue;
            };
            team.members.remove(&view.agent);
            team.staff.logged_in = team.staff.logged_in.saturating_sub(1);
            team.staff.uncount(view, &membership.part);
            if team.members.is_empty() {
                self.0.remove(&membership.queue);
            }
        }
    }

    /// An agent does something else, in the same queues.
    fn recount(&mut self, old: &View, new: &View) {
        for membership in new.memberships.iter() {
            if let Some(team) = self.0.get_mut(&membership.queue) {
                team.staff.uncount(old, &membership.part);
                team.staff.count(new, &membership.part);
            }
        }
    }
}

/// What is known of every queue and agent that ever acted.
#[derive(Default)]
pub struct Live {
    queues: RwLock<ById<QueueId, Line>>,
    people: RwLock<People>,
    /// What happened today.
    pub figures: Figures,
    followers: Followers,
}

impl Live {
    /// Nothing is known of what happened before `started`.
    pub fn new(started: Timestamp) -> Self {
        Self {
            figures: Figures::new(started),
            ..Self::default()
        }
    }

    /// A step was stored that said this.
    pub fn happened(&self, said: Arc<Said>) {
        self.followers.events(said.tenant, said.at, &said.events);
        self.figures.note(said);
    }

    /// The same in another process.
    pub fn happened_elsewhere(
        &self,
        directory: &Directory,
        tenant: TenantId,
        at: Timestamp,
        events: &[Event],
    ) {
        self.figures.happened(&directory.zone(tenant), at, events);
    }

    /// A queue's step was stored.
    pub fn queue_changed(&self, queue: QueueId, changes: &[QueueChange]) {
        self.queue_changed_elsewhere(queue, changes);
        self.followers.changes(queue, changes);
    }

    /// A queue's actor has begun with this line.
    pub fn queue_began(&self, queue: QueueId, line: Vec<(Place, Arc<Entry>)>) {
        self.followers.line(queue, &line);
        self.queue_began_elsewhere(queue, line);
    }

    /// A queue has this line in another process.
    pub fn queue_began_elsewhere(&self, queue: QueueId, line: Vec<(Place, Arc<Entry>)>) {
        let mut queues = self.queues.write();
        if line.is_empty() {
            queues.remove(&queue);
            return;
        }
        let mut now = Line::default();
        for (place, entry) in line {
            now.put(entry, place);
        }
        queues.insert(queue, now);
    }

    /// A queue's line changed in another process.
    pub fn queue_changed_elsewhere(&self, queue: QueueId, changes: &[QueueChange]) {
        let mut queues = self.queues.write();
        for change in changes {
            match change {
                QueueChange::Put(entry, place) => {
                    queues.entry(queue).or_default().put(entry.clone(), *place);
                }
                QueueChange::Remove(contact) => {
                    if let Some(line) = queues.get_mut(&queue) {
                        line.remove(*contact);
                    }
                }
                QueueChange::Bury(..) | QueueChange::Forget(_) => {}
            }
        }
    }

    /// An agent's step was stored.
    pub fn agent_changed(&self, tenant: TenantId, view: View) {
        self.followers.agent(tenant, &view);
        self.agent_changed_elsewhere(tenant, view);
    }

    /// An agent is like this in another process.
    pub fn agent_changed_elsewhere(&self, tenant: TenantId, view: View) {
        let mut people = self.people.write();
        let people = &mut *people;
        let views = people.views.entry(tenant).or_default();
        let Some(shown) = views.get_mut(&view.agent) else {
            people.teams.come(&view);
            views.insert(view.agent, view);
            return;
        };
        if shown.memberships == view.memberships {
            people.teams.recount(shown, &view);
        } else {
            people.teams.go(shown);
            people.teams.come(&view);
        }
        *shown = view;
    }

    /// Everything of the actors that are here, and then each change. It ends when the follower is too slow.
    pub fn follow(
        &self,
        here: impl Fn(u128) -> bool,
    ) -> mpsc::Receiver<Result<pb::LiveChanges, Status>> {
        // Changes from here on may be told before what they follow on; then they are told again in their order.
        let (sender, changes) = self.followers.join();
        let mut all = Vec::new();
        for (tenant, views) in &self.people.read().views {
            let here = views.values().filter(|view| here(view.agent.as_u128()));
            all.extend(here.map(|view| followers::agent(*tenant, view)));
        }
        for (queue, line) in self.queues.read().iter() {
            if here(queue.as_u128()) {
                let order = line.order.iter();
                let line: Vec<_> = order
                    .map(|(place, entry)| (*place, entry.clone()))
                    .collect();
                all.push(followers::line(*queue, &line));
            }
        }
        tokio::spawn(followers::tell_all(sender, all));
        changes
    }

    /// Queues with a line that others should have told of and did not.
    pub fn queues_with_contacts(&self) -> Vec<QueueId> {
        let queues = self.queues.read();
        let some = queues.iter().filter(|(_, line)| !line.order.is_empty());
        some.map(|(queue, _)| *queue).collect()
    }

    /// A queue with its first `limit` contacts.
    pub fn queue(&self, queue: QueueId, limit: usize) -> Waiting {
        let queues = self.queues.read();
        let Some(line) = queues.get(&queue) else {
            return Waiting::default();
        };
        Waiting {
            waiting: u32::try_from(line.order.len()).unwrap_or(u32::MAX),
            longest_since: line.ages.first().map(|(since, _)| *since),
            first: line.order.values().take(limit).cloned().collect(),
        }
    }

    /// Whether somebody waits in a queue while somebody is ready for it.
    pub fn waits_beside_ready(&self, queue: QueueId) -> bool {
        let waits = |line: &Line| !line.order.is_empty();
        let staff = |team: &Team| team.staff.ready > 0;
        self.queues.read().get(&queue).is_some_and(waits)
            && self.people.read().teams.0.get(&queue).is_some_and(staff)
    }

    /// What those do who are logged in to a queue.
    pub fn staff(&self, queue: QueueId) -> Staff {
        let people = self.people.read();
        people
            .teams
            .0
            .get(&queue)
            .map(|t| t.staff)
            .unwrap_or_default()
    }

    /// Who is logged in to a queue.
    pub fn logged_in(&self, queue: QueueId) -> Vec<UserId> {
        let people = self.people.read();
        let members = people.teams.0.get(&queue).map(|team| &team.members);
        members.into_iter().flatten().copied().collect()
    }

    /// Queues that somebody is logged in to.
    pub fn queues_with_agents(&self) -> Vec<QueueId> {
        self.people.read().teams.0.keys().copied().collect()
    }

    /// An agent, when it ever acted.
    pub fn agent(&self, tenant: TenantId, agent: UserId) -> Option<View> {
        let people = self.people.read();
        people.views.get(&tenant)?.get(&agent).cloned()
    }

    /// Up to `limit` agents of the tenant that ever acted, after `after`, in order of id; with `queue` only those who are
    /// logged in to it.
    pub fn agents(
        &self,
        tenant: TenantId,
        queue: Option<QueueId>,
        after: Option<UserId>,
        limit: usize,
    ) -> Vec<View> {
        let people = self.people.read();
        let Some(views) = people.views.get(&tenant) else {
            return Vec::new();
        };
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        match queue {
            None => views
                .range(range)
                .take(limit)
                .map(|(_, v)| v.clone())
                .collect(),
            Some(queue) => {
                let members = people.teams.0.get(&queue).map(|team| &team.members);
                let page = members.into_iter().flat_map(|m| m.range(range));
                page.filter_map(|agent| views.get(agent).cloned())
                    .take(limit)
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_routing_core::{AgentRecord, Membership};

    const TENANT: TenantId = TenantId::from_u128(1);

    fn queue(n: u128) -> QueueId {
        QueueId::from_u128(n)
    }

    fn view(n: u128, state: State, queues: &[QueueId]) -> View {
        let record = AgentRecord::new(UserId::from_u128(n), Timestamp::from_millis(0));
        View {
            state,
            device_online: true,
            memberships: queues.iter().map(|q| Membership::new(*q)).collect(),
            ..record.shown
        }
    }

    #[test]
    fn a_queues_staff_is_what_its_agents_do_now() {
        let (live, a, b) = (Live::default(), queue(1), queue(2));
        for n in 1..=3 {
            live.agent_changed(TENANT, view(n, State::Ready, &[a, b]));
        }
        live.agent_changed(TENANT, view(1, State::Connected, &[a, b]));
        live.agent_changed(TENANT, view(2, State::Paused, &[b]));
        let away = View {
            device_online: false,
            ..view(3, State::Ready, &[a, b])
        };
        live.agent_changed(TENANT, away);
        let staff = live.staff(a);
        assert_eq!((staff.logged_in, staff.in_contact), (2, 1));
        assert_eq!((staff.ready, staff.paused, staff.unreachable), (0, 0, 1));
        assert_eq!(staff.serving(), Serving { agents: 1, free: 0 });
        assert_eq!((live.staff(b).logged_in, live.staff(b).paused), (3, 1));
        let agents = |queue, after: Option<u128>, limit| {
            let page = live.agents(TENANT, queue, after.map(UserId::from_u128), limit);
            page.iter().map(|v| v.agent.as_u128()).collect::<Vec<_>>()
        };
        assert_eq!(agents(Some(a), None, 9), [1, 3]);
        assert_eq!(agents(None, Some(1), 1), [2]);
        assert_eq!(agents(Some(b), Some(1), 9), [2, 3]);
        assert!(
            live.agents(TenantId::from_u128(2), None, None, 9)
                .is_empty()
        );
        for n in 1..=3 {
            live.agent_changed(TENANT, view(n, State::LoggedOut, &[]));
        }
        assert_eq!(live.staff(a), Staff::default());
        assert!(live.queues_with_agents().is_empty());
    }
}
