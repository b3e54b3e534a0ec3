//! The small worlds, and for each deliberate bug the one where it is hunted.

use super::{Budget, Small};
use crate::{
    Mutant, Shape,
    shape::{ContactShape, QueueShape},
};
use centro_edge::Timing;
use centro_routing_core::Deadlines;
use std::{sync::Arc, time::Duration};

/// Without time: everything that only repeats is due at once, what must be told apart has its own length.
fn shape(queues: usize, agents: &[&[usize]], contacts: &[usize]) -> Shape {
    let weights = [Some(1), Some(5)];
    let queue = |n: usize| QueueShape {
        weight: weights[n],
        ..QueueShape::default()
    };
    let contact = |queue: &usize| ContactShape {
        queue: *queue,
        ..ContactShape::default()
    };
    let zero = Duration::ZERO;
    Shape {
        queues: (0..queues).map(queue).collect(),
        agents: agents.iter().map(|queues| queues.to_vec()).collect(),
        skills: Vec::new(),
        contacts: contacts.iter().map(contact).collect(),
        deadlines: Deadlines {
            solicit: zero,
            refresh: zero,
            reserved: zero,
            ring_margin: zero,
            recheck: zero,
            unreachable: zero,
            bid: zero,
            hold: zero,
            wish: zero,
            desktop: zero,
            reattach: zero,
            tombstone: Duration::from_secs(60),
        },
        timing: Timing {
            commit: Duration::from_secs(5),
            retry: zero,
            reject_delay: Duration::from_secs(10),
        },
        ring: Duration::from_secs(1),
        wrap_up: Duration::from_secs(1),
        missed_offers: 1,
        retry: zero,
        rest: zero,
    }
}

fn small(name: &str, shape: Shape, budget: Budget) -> Small {
    Small {
        name: name.to_owned(),
        shape: Arc::new(shape),
        budget,
        mutant: None,
        watch_epoch: true,
        liveness: true,
        sample: 1,
        grants: None,
        prefix: &[],
        found: Arc::default(),
    }
}

fn one_agent_one_contact() -> Shape {
    shape(1, &[&[0]], &[0])
}

fn one_agent_two_contacts() -> Shape {
    shape(1, &[&[0]], &[0, 0])
}

fn two_agents_one_contact() -> Shape {
    shape(1, &[&[0], &[0]], &[0])
}

fn two_agents_two_contacts() -> Shape {
    shape(1, &[&[0], &[0]], &[0, 0])
}

fn two_queues_one_agent(contacts: &[usize]) -> Shape {
    shape(2, &[&[0, 1]], contacts)
}

fn two_queues_two_agents() -> Shape {
    shape(2, &[&[0, 1], &[0, 1]], &[0, 1])
}

/// One queue, one agent, one contact: all pairs of surprises and faults.
pub fn quick() -> Vec<Small> {
    let singles = Budget::SINGLES;
    let mut worlds = Vec::new();
    for (i, (one, first)) in singles.into_iter().enumerate() {
        for (other, second) in singles.into_iter().skip(i) {
            let name = format!("1q1a1c {one} + {other}");
            worlds.push(small(&name, one_agent_one_contact(), first.and(second)));
        }
    }
    worlds.extend(special());
    worlds
}

/// The other worlds of the paper: more contacts, agents and queues, each surprise or fault by itself.
pub fn rest_of_paper() -> Vec<Small> {
    let calm = Budget::CALM;
    let mut worlds = vec![
        small("1q1a2c calm", one_agent_two_contacts(), calm),
        small("1q2a2c calm", two_agents_two_contacts(), calm),
        small("2q1a2c calm", two_queues_one_agent(&[0, 1]), calm),
        small("2q1a3c calm", two_queues_one_agent(&[0, 0, 1]), calm),
        small("2q2a2c calm", two_queues_two_agents(), calm),
    ];
    for (what, budget) in Budget::SINGLES {
        let moved = budget.and(Budget { moves: 1, ..calm });
        worlds.extend([
            small(&format!("1q1a2c {what}"), one_agent_two_contacts(), budget),
            small(&format!("1q2a1c {what}"), two_agents_one_contact(), budget),
            small(
                &format!("2q1a1c move + {what}"),
                two_queues_one_agent(&[0]),
                moved,
            ),
            small(&format!("2q2a2c {what}"), two_queues_two_agents(), budget),
        ]);
    }
    worlds
}

/// Before a second agent is offered to a contact in commit: a late copy of an old `Attach` made the new owner of the queue
/// believe that the contact was not offered.
const IN_COMMIT: &[&str] = &[
    "person contact 0: Arrive queue 0",
    "twice queue 0: Attach contact 0 no 1",
    "agent 0: Bid queue 0 epoch 1 ver 2 weight 1",
    "queue 0: Grant a0#1 ver 2 epoch 1",
    "contact 0: Offer queue 0 no 1 a0#1",
    "dies queue 0",
    "new owner queue 0",
    "queue 0: Attach contact 0 no 1",
    "agent 0: Alert #1 contact 0",
    "contact 0: AlertOk a0#1",
    "person contact 0: answered a0#1",
];

/// Worlds that some bugs need.
fn special() -> Vec<Small> {
    let dup_and_crash = Budget::single("dup").and(Budget::single("queue crash"));
    let zombie = Budget::single("queue zombie");
    vec![
        small("1q1a1c queue zombie", one_agent_one_contact(), zombie),
        Small {
            grants: Some(2),
            prefix: IN_COMMIT,
            ..small("1q2a1c in commit", two_agents_one_contact(), dup_and_crash)
        },
    ]
}

/// A world by its name.
pub fn find(name: &str) -> Option<Small> {
    let worlds = quick().into_iter().chain(rest_of_paper());
    worlds.into_iter().find(|world| world.name == name)
}

/// For each deliberate bug the world where it is hunted.
pub fn hunts() -> Vec<Small> {
    Mutant::ALL
        .into_iter()
        .filter_map(|mutant| {
            let world = match mutant {
                Mutant::EpochCheck => "1q1a2c agent zombie",
                Mutant::DoubleGrant => "2q1a2c calm",
                Mutant::ForgottenDeadline => "1q1a1c drop + drop",
                Mutant::OldOwnerOffer => "1q1a1c queue zombie + queue zombie",
                Mutant::UnfencedReplies => "1q1a1c dup + agent zombie",
                Mutant::ReleaseAlways => "1q1a1c dup + dup",
                Mutant::NoSettling => "1q2a1c agent hang-up",
                Mutant::BindAtBid => "1q2a2c calm",
                Mutant::FirstBidWins => "2q1a3c calm",
                Mutant::NoBidRetry => "1q1a1c drop + drop",
                Mutant::NoHold => "1q1a2c queue crash",
                Mutant::NoTombstone => "1q1a1c hang-up + dup",
                Mutant::RingWithoutAlert => "1q1a1c early + dup",
                Mutant::SplitGrant => "1q1a1c dup + dup",
                Mutant::OfferTwice => "1q1a1c early + dup",
                Mutant::AskTwice => "1q1a1c hang-up + hang-up",
                Mutant::RefuseInCommit => "1q2a1c in commit",
                Mutant::SwallowNewer => "1q1a1c queue zombie",
                Mutant::KeepOldWord | Mutant::UntoldOwner => "1q1a1c agent crash + queue zombie",
            };
            let mut world = find(world)?;
            world.mutant = Some(mutant);
            // What follows from it is to be seen, not the write itself.
            if mutant == Mutant::EpochCheck {
                world.watch_epoch = false;
                world.liveness = false;
            }
            Some(world)
        })
        .collect()
}
