//! What the network does to letters, and faults to who reads them.

use super::{aim::Aim, day::Day, event::Event, script::FAULTS_END};
use crate::{
    letter::{Actor, Letter, Mail},
    shard::Who,
};
use centro_edge::Command;
use centro_routing_core::{AgentMessage, invariants::Broken};

impl Day {
    /// The network: 1 to 20 ms, now and then up to 6 s; some lost, some twice, while faults last.
    pub(super) fn post(&mut self, sent: Vec<Mail>) {
        let [lost, twice, late] = self.weather;
        for mail in sent {
            if let Actor::Contact(c) = mail.to
                && !mail.is_read_by_zombies()
                && self.world.contact(c).edge().is_none()
            {
                continue; // no process, no stream
            }
            let faulty = self.now < FAULTS_END && !mail.is_sure();
            let mut network = self.draw(&mail);
            let repeated = faulty && network.per_mille(twice);
            self.faults += u64::from(repeated);
            let second = repeated.then(|| mail.clone());
            for mail in second.into_iter().chain([mail]) {
                if faulty && network.per_mille(lost) {
                    self.faults += 1;
                    // It ends its stream, so it is lost with the stream only, and that is noticed.
                    if let (
                        Actor::Contact(c),
                        Letter::Edge(Command::NotTaken {
                            queue, attach_no, ..
                        }),
                    ) = (mail.to, &mail.letter)
                    {
                        let (queue, attach_no) = (*queue, *attach_no);
                        let broke = Mail::edge(c, Command::QueueLost { queue, attach_no });
                        self.after(20, Event::Mail(broke));
                    }
                    continue;
                }
                let is_late = faulty && network.per_mille(late);
                self.faults += u64::from(is_late);
                let most = if is_late {
                    network.one_of(&[100, 500, 6_000])
                } else {
                    20
                };
                let delay = 1 + network.millis(most);
                self.after(delay, Event::Mail(mail));
            }
        }
    }

    /// Reads a letter, unless a fault was waiting for it.
    pub(super) fn read(&mut self, who: Who, mail: Mail) -> Result<(), Broken> {
        let hit = self.aims.iter().position(|aim| aim.waits_for_read(&mail));
        let Some(hit) = hit.filter(|_| who == Who::Live && self.now < FAULTS_END) else {
            return self.step(who, mail);
        };
        let aim = self.aims.swap_remove(hit);
        if let (Aim::EdgeDiesCommitting, Letter::Agent(AgentMessage::Connect { contact, .. })) =
            (aim, &mail.letter)
        {
            self.die(crate::ids::contact_no(*contact));
            return self.step(who, mail);
        }
        let Some(node) = self.node.get(&mail.to).copied() else {
            return self.step(who, mail);
        };
        let lease = 1_600;
        self.fail(node, lease, Some((0, 400)));
        for after in [150, 180] {
            self.after(lease + after, Event::AtZombie(mail.clone()));
        }
        self.after(lease + 160, Event::Local(mail));
        Ok(())
    }
}
