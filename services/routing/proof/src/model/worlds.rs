//! The small worlds, and for each deliberate bug the one where it is hunted.

use super::{Budget, Small, shapes::*};
use crate::{Mutant, Shape};
use std::sync::Arc;

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

/// One queue, some agents, some contacts.
fn roomy(what: &str, agents: usize, contacts: usize, budget: Budget) -> Small {
    let serves: &[usize] = &[0];
    let shape = shape(1, &vec![serves; agents], &vec![0; contacts]);
    named(&format!("1q{agents}a{contacts}c"), what, shape, budget)
}

/// Where contacts are moved, one queue is not enough.
fn named(size: &str, what: &str, shape: Shape, budget: Budget) -> Small {
    if budget.moves > 0 && shape.queues.len() == 1 {
        let size = size.replace("1q", "2q");
        return small(&format!("{size} {what}"), with_another_queue(shape), budget);
    }
    small(&format!("{size} {what}"), shape, budget)
}

/// One queue, one agent, one contact: all pairs of surprises and faults. Then what only few of the others touch, and what
/// some bugs need.
pub fn quick() -> Vec<Small> {
    let singles = Budget::SINGLES;
    let mut worlds = Vec::new();
    for (i, (one, first)) in singles.into_iter().enumerate() {
        for (other, second) in singles.into_iter().skip(i) {
            let what = format!("{one} + {other}");
            worlds.push(roomy(&what, 1, 1, first.and(second)));
        }
    }
    worlds.extend(owners());
    worlds.extend(kinds("calm", Budget::CALM));
    worlds.extend(special());
    worlds
}

/// A contact that outlives its process: its owner dies or comes back as a zombie, beside each other surprise or fault.
fn owners() -> Vec<Small> {
    let dies = ("owner dies", Budget::single("edge crash"));
    let zombie = Budget {
        edge_pause: 1,
        ..Budget::CALM
    };
    let zombie = ("owner zombie", zombie);
    let mut worlds = Vec::new();
    for (what, budget) in [dies, zombie] {
        for (other, second) in Budget::SINGLES {
            let mut both = budget.and(second);
            both.edge_crash = budget.edge_crash + second.edge_crash;
            let name = format!("durable {what} + {other}");
            let mut world = roomy(&name, 1, 1, both);
            world.shape = Arc::new(durable((*world.shape).clone()));
            worlds.push(world);
        }
    }
    worlds
}

/// A world of each kind that the pairs do not touch: more contacts and agents, conversations, ring all, priorities, needs.
fn kinds(what: &str, budget: Budget) -> Vec<Small> {
    let mut worlds = vec![
        roomy(what, 1, 2, budget),
        roomy(what, 2, 1, budget),
        named("2q2a2c", what, two_queues_two_agents(), budget),
        named(
            "ring-all 1q2a1c",
            what,
            ring_all(two_agents_one_contact()),
            budget,
        ),
        named(
            "briefed 1q1a2c",
            what,
            briefed(one_agent_two_contacts()),
            budget,
        ),
        named(
            "briefed ring-all 1q2a1c",
            what,
            briefed(ring_all(two_agents_one_contact())),
            budget,
        ),
        named("priorities 1q1a2c", what, priorities(), budget),
        named("skills 1q2a2c", what, skills(), budget),
        named(
            "chat 1q1a2c",
            what,
            chats(one_agent_two_contacts(), 0),
            budget,
        ),
    ];
    // A call is not moved to a queue of conversations.
    if budget.moves == 0 {
        let apart = calls_and_chats(&[0, 1], false);
        let interrupted = calls_and_chats(&[0, 1], true);
        worlds.extend([
            named("chat + call 2q1a2c", what, apart, budget),
            named("call interrupts chat 2q1a2c", what, interrupted, budget),
        ]);
    }
    worlds
}

/// The other worlds: those of the paper, each surprise or fault by itself, and somebody who picks up beside it.
pub fn rest_of_paper() -> Vec<Small> {
    let calm = Budget::CALM;
    let reprioritised = Budget {
        priority: 1,
        ..calm
    };
    let owner_zombie = Budget {
        edge_pause: 1,
        ..calm
    };
    let chat = chats(one_agent_two_contacts(), 0);
    let mut worlds = vec![
        small("1q2a2c calm", two_agents_two_contacts(), calm),
        small("2q1a2c calm", two_queues_one_agent(&[0, 1]), calm),
        small("2q1a3c calm", two_queues_one_agent(&[0, 0, 1]), calm),
        small(
            "1q1a3c chat calm",
            chats(shape(1, &[&[0]], &[0; 3]), 0),
            calm,
        ),
        named("chat 1q1a2c", "owner zombie", chat, owner_zombie),
        roomy("reprioritised", 1, 2, reprioritised),
    ];
    for (what, budget) in Budget::SINGLES {
        worlds.extend(kinds(what, budget));
        let pick_up = budget.and(Budget::single("pick-up"));
        let what = format!("pick-up + {what}");
        let one = with_supervisor(one_agent_one_contact());
        let two = with_supervisor(one_agent_two_contacts());
        worlds.extend([
            named("supervisor 1q1a1c", &what, one, pick_up),
            named("supervisor 1q1a2c", &what, two, pick_up),
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
    let supervised = with_supervisor(one_agent_one_contact());
    vec![
        named(
            "supervisor 1q1a1c",
            "pick-up",
            supervised,
            Budget::single("pick-up"),
        ),
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
                Mutant::OldEdge => "1q1a1c durable owner zombie + early",
                Mutant::IgnoreCapacity => "1q1a3c chat calm",
                Mutant::InterruptCall => "chat + call 2q1a2c calm",
                Mutant::ReleaseOvertaken => "chat 1q1a2c calm",
                Mutant::PickUpUnrecorded => "supervisor 1q1a1c pick-up + hang-up",
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
