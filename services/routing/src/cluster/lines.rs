//! Who waits, in which order: before a hand-over and after it.

use centro_kernel::{ContactId, QueueId};
use centro_routing_core::{Ageing, QueueRecord};
use std::collections::{BTreeMap, BTreeSet};

/// One who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    contact: ContactId,
    attach_no: u32,
    attached: bool,
}

/// The lines of some queues, each in order of service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines(BTreeMap<QueueId, Vec<Place>>);

/// What a hand-over meant to those who waited when it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Comparison {
    pub before: u32,
    /// Of these, who still waits.
    pub after: u32,
    /// Of these, who was served or left.
    pub left: u32,
    /// Of these, who neither waits nor left.
    pub lost: u32,
    /// Of those who still wait, who is attached to the new owner, or was not attached before.
    pub attached: u32,
    /// Those who still wait do so in the same order.
    pub unchanged: bool,
}

impl Lines {
    /// Adds what is stored of a queue.
    pub fn add(&mut self, queue: QueueId, record: &QueueRecord) {
        let order = Ageing::default();
        let mut line: Vec<_> = record.entries.values().collect();
        line.sort_by_key(|entry| entry.place(&order));
        let line = line.into_iter().map(|entry| Place {
            contact: entry.contact,
            attach_no: entry.attach_no,
            attached: entry.attached,
        });
        self.0.insert(queue, line.collect());
    }

    /// Queues in which somebody waits.
    pub fn queues(&self) -> impl Iterator<Item = QueueId> + '_ {
        self.0.keys().copied()
    }

    /// What became of these lines, by what is stored now of their queues.
    pub fn compare(&self, now: &BTreeMap<QueueId, QueueRecord>) -> Comparison {
        let mut all = Comparison {
            unchanged: true,
            ..Comparison::default()
        };
        for (queue, line) in &self.0 {
            let mut after = Self::default();
            let left: BTreeSet<ContactId> = match now.get(queue) {
                Some(record) => {
                    after.add(*queue, record);
                    record.left.keys().copied().collect()
                }
                None => BTreeSet::new(),
            };
            let after = after.0.remove(queue).unwrap_or_default();
            let of = |contact| after.iter().find(move |place| place.contact == contact);
            let kept: Vec<_> = (line.iter())
                .filter_map(|old| Some((old, of(old.contact)?)))
                .collect();
            let gone = line.iter().filter(|old| of(old.contact).is_none());
            let left = gone.filter(|old| left.contains(&old.contact)).count();
            let attached = kept.iter().filter(|(old, new)| {
                !old.attached || (new.attached && new.attach_no > old.attach_no)
            });
            all.before += count(line.len());
            all.after += count(kept.len());
            all.left += count(left);
            all.lost += count(line.len() - kept.len() - left);
            all.attached += count(attached.count());
            let known: BTreeSet<_> = line.iter().map(|old| old.contact).collect();
            let order = after.iter().map(|place| place.contact);
            let order = order.filter(|contact| known.contains(contact));
            all.unchanged &= order.eq(kept.iter().map(|(old, _)| old.contact));
        }
        all
    }
}

impl Comparison {
    /// Nobody is missing at the new owner.
    pub const fn is_complete(&self) -> bool {
        self.attached == self.after
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const QUEUE: QueueId = QueueId::from_u128(1);

    /// A record of contacts with number, enqueue time and attachment; negative ones are not attached.
    fn record(waiting: &[(u128, i64, i64)], left: &[u128]) -> QueueRecord {
        let mut record = QueueRecord::default();
        for (contact, at, attach_no) in waiting {
            let contact = ContactId::from_u128(*contact);
            let entry = json!({
                "contact": contact, "attach_no": attach_no.abs(), "enqueued_at": at, "priority": 5, "reprioritised": false,
                "boosted": false, "overtaken": 0, "kind": "Call", "needs": {"steps": []}, "step": 0, "relax_due": null,
                "excluded": {}, "declined": [], "retry_due": null, "attached": *attach_no > 0, "on_trial": false,
                "lost_due": null, "promise_due": null, "offers": [], "offered_due": null, "boost_due": null, "wish": null,
                "caller": {"number": "", "display_name": "", "dialled": ""}, "edge": "telephony",
            });
            let entry = serde_json::from_value(entry).unwrap();
            record.entries.insert(contact, std::sync::Arc::new(entry));
        }
        for contact in left {
            let grave = json!({"attach_no": 1, "at": 0, "not_taken": null});
            let grave = serde_json::from_value(grave).unwrap();
            record.left.insert(ContactId::from_u128(*contact), grave);
        }
        record
    }

    fn compared(before: &QueueRecord, after: QueueRecord) -> Comparison {
        let mut lines = Lines::default();
        lines.add(QUEUE, before);
        lines.compare(&BTreeMap::from([(QUEUE, after)]))
    }

    #[test]
    fn all_who_waited_wait_in_their_order_and_are_back() {
        let before = record(&[(1, 10, 1), (2, 20, 1), (3, 30, 4)], &[]);
        let same = Comparison {
            before: 3,
            after: 3,
            unchanged: true,
            ..Comparison::default()
        };
        assert_eq!(compared(&before, before.clone()), same);
        // Two are back, then all; somebody new at the end changes nothing.
        let two = record(&[(1, 10, 2), (2, 20, 2), (3, 30, -4)], &[]);
        assert_eq!(
            compared(&before, two.clone()),
            Comparison {
                attached: 2,
                ..same
            }
        );
        assert!(!compared(&before, two).is_complete());
        let all = record(&[(1, 10, 2), (2, 20, 2), (3, 30, 5), (9, 40, 1)], &[]);
        assert!(compared(&before, all).is_complete());
    }

    #[test]
    fn who_was_served_left_and_who_is_nowhere_is_lost() {
        let before = record(&[(1, 10, 1), (2, 20, 1), (3, 30, 1)], &[]);
        let after = compared(&before, record(&[(2, 20, 2)], &[1]));
        let wanted = Comparison {
            before: 3,
            after: 1,
            left: 1,
            lost: 1,
            attached: 1,
            unchanged: true,
        };
        assert_eq!(after, wanted);
    }

    #[test]
    fn another_order_is_seen() {
        let before = record(&[(1, 10, 1), (2, 20, 1)], &[]);
        assert!(!compared(&before, record(&[(1, 30, 2), (2, 20, 2)], &[])).unchanged);
    }

    #[test]
    fn who_was_not_attached_before_need_not_be_after() {
        let before = record(&[(1, 10, -1), (2, 20, 1)], &[]);
        assert!(compared(&before, record(&[(1, 10, -1), (2, 20, 2)], &[])).is_complete());
    }
}
