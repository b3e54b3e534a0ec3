//! What people do when a device rings, a talk begins, or a queue lets them go.

use super::{centre::elsewhere, chance::Chance, day::Day, event::Event};
use crate::letter::Mail;
use centro_edge::{Command, Effect};
use centro_kernel::contact::{LeftReason, Reservation};
use centro_routing_core::{AgentMessage, Chosen};

impl Day {
    pub(super) fn react(&mut self, contact: usize, effect: &Effect) {
        match effect {
            Effect::Ring(of) => self.rings(self.draw(&(contact, of, 1)), contact, *of),
            Effect::Brief(of) => self.hears(self.draw(&(contact, of, 4)), contact, *of),
            Effect::Bridge(of) => self.talks(self.draw(&(contact, of, 2)), contact, *of),
            Effect::Out(LeftReason::Timeout | LeftReason::QueueFull) => {
                let mut chance = self.draw(&(contact, 3));
                if !chance.per_mille(300) {
                    return;
                }
                let queue = elsewhere(&mut chance, self.world().shape().contacts[contact].queue);
                let arrive = Command::Arrive(crate::queue_id(queue));
                self.soon(1, Mail::edge(contact, arrive));
                let patience = 5_000 + chance.millis(60_000);
                self.soon(patience, Mail::edge(contact, Command::HungUp));
            }
            _ => {}
        }
    }

    fn rings(&mut self, mut chance: Chance, contact: usize, of: Reservation) {
        let after = chance.millis(12_000);
        let command = match chance.below(20) {
            0 | 1 => Command::Rejected(of),
            2 => Command::DeviceFailed(of),
            3 => Command::CouldNotRing(of),
            4 => {
                // Nobody there: not responding, and back later.
                let agent = crate::ids::agent_no(of.agent);
                let ready = AgentMessage::SetStatus(Chosen::Ready);
                self.soon(20_000 + after, Mail::agent(agent, ready));
                return;
            }
            kind => {
                if kind < 7 {
                    let hangs_up = after + chance.millis(40);
                    self.soon(hangs_up, Mail::edge(contact, Command::AgentHungUp(of)));
                }
                if kind == 7 {
                    let twice = after + chance.millis(5);
                    self.soon(twice, Mail::edge(contact, Command::HungUp));
                }
                Command::Answered(of)
            }
        };
        self.soon(after, Mail::edge(contact, command));
    }

    /// Mostly to the end, whose word may be lost; some have heard enough.
    fn hears(&mut self, mut chance: Chance, contact: usize, of: Reservation) {
        let after = 500 + chance.millis(2_000);
        let command = match chance.below(10) {
            0 => Command::AgentHungUp(of),
            1 => return,
            2 => Command::DeviceFailed(of),
            3 => Command::HungUp,
            _ => Command::Briefed(of),
        };
        self.soon(after, Mail::edge(contact, command));
    }

    fn talks(&mut self, mut chance: Chance, contact: usize, of: Reservation) {
        // Some talk so long that routing asks whether they still do.
        let most = chance.one_of(&[12_000, 24_000, 24_000, 70_000]);
        let talk = 5_000 + chance.millis(most);
        let command = match chance.below(10) {
            0 => {
                let queue = elsewhere(&mut chance, self.world().shape().contacts[contact].queue);
                let patience = talk + 5_000 + chance.millis(60_000);
                self.soon(patience, Mail::edge(contact, Command::HungUp));
                Command::Transfer(crate::queue_id(queue))
            }
            1..=4 => Command::HungUp,
            5 => {
                self.soon(talk / 2, Mail::edge(contact, Command::Revalidate));
                Command::AgentHungUp(of)
            }
            _ => Command::AgentHungUp(of),
        };
        self.soon(talk, Mail::edge(contact, command));
    }

    /// At once, without a network between.
    fn soon(&mut self, after: i64, mail: Mail) {
        self.after(after, Event::Local(mail));
    }
}
