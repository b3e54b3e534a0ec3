//! Who is there in the small worlds.

use crate::{
    Shape,
    shape::{AgentShape, ContactShape, QueueShape},
};
use centro_edge::Timing;
use centro_kernel::SkillId;
use centro_routing_core::{
    Capacity, Comparison, Deadlines, Medium, Need, Needs, Skills, Step, Strategy,
};
use std::{sync::Arc, time::Duration};

/// Without time: everything that only repeats is due at once, what must be told apart has its own length.
pub(super) fn shape(queues: usize, agents: &[&[usize]], contacts: &[usize]) -> Shape {
    let weights = [Some(1), Some(5)];
    let queue = |n: usize| QueueShape {
        weight: weights[n],
        ..QueueShape::default()
    };
    let contact = |queue: &usize| ContactShape {
        queue: *queue,
        ..ContactShape::default()
    };
    let agent = |queues: &&[usize]| AgentShape {
        queues: queues.to_vec(),
        ..AgentShape::default()
    };
    let zero = Duration::ZERO;
    Shape {
        queues: (0..queues).map(queue).collect(),
        agents: agents.iter().map(agent).collect(),
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
            promise: Duration::from_secs(24 * 3_600),
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

pub(super) fn one_agent_one_contact() -> Shape {
    shape(1, &[&[0]], &[0])
}

pub(super) fn one_agent_two_contacts() -> Shape {
    shape(1, &[&[0]], &[0, 0])
}

pub(super) fn two_agents_one_contact() -> Shape {
    shape(1, &[&[0], &[0]], &[0])
}

pub(super) fn two_agents_two_contacts() -> Shape {
    shape(1, &[&[0], &[0]], &[0, 0])
}

pub(super) fn two_queues_one_agent(contacts: &[usize]) -> Shape {
    shape(2, &[&[0, 1]], contacts)
}

pub(super) fn two_queues_two_agents() -> Shape {
    shape(2, &[&[0, 1], &[0, 1]], &[0, 1])
}

/// The same with a second queue of the same kind, for the same agents.
pub(super) fn with_another_queue(shape: Shape) -> Shape {
    let mut shape = shape;
    let mut queue = shape.queues[0];
    queue.weight = Some(5);
    shape.queues.push(queue);
    for agent in shape.agents.iter_mut().filter(|a| !a.queues.is_empty()) {
        agent.queues.push(1);
    }
    shape
}

/// The same with somebody who serves no queue and may pick contacts up.
pub(super) fn with_supervisor(shape: Shape) -> Shape {
    let mut shape = shape;
    shape.agents.push(AgentShape::default());
    shape
}

/// Contacts that outlive their process, as callbacks do.
pub(super) fn durable(shape: Shape) -> Shape {
    let mut shape = shape;
    for contact in &mut shape.contacts {
        contact.durable = true;
    }
    shape
}

/// A queue of conversations in writing, of which an agent has two at once.
pub(super) fn chats(shape: Shape, queue: usize) -> Shape {
    let mut shape = shape;
    shape.queues[queue].medium = Medium::Chat;
    for agent in &mut shape.agents {
        agent.capacity.chats = 2;
    }
    for contact in &mut shape.contacts {
        contact.durable |= contact.queue == queue;
    }
    shape
}

/// One queue of calls and one of conversations, one agent for both.
pub(super) fn calls_and_chats(contacts: &[usize], voice_interrupts_chat: bool) -> Shape {
    let mut shape = chats(two_queues_one_agent(contacts), 1);
    shape.agents[0].capacity = Capacity {
        chats: 2,
        voice_interrupts_chat,
    };
    shape
}

/// Everybody rings for the first who waits.
pub(super) fn ring_all(shape: Shape) -> Shape {
    let mut shape = shape;
    shape.queues[0].strategy = Strategy::RingAll;
    shape
}

/// An agent who answered hears something before the contact.
pub(super) fn briefed(shape: Shape) -> Shape {
    let mut shape = shape;
    for queue in &mut shape.queues {
        queue.brief = Duration::from_secs(1);
    }
    shape
}

/// The later contact comes first.
pub(super) fn priorities() -> Shape {
    let mut shape = one_agent_two_contacts();
    shape.contacts[1].priority = 1;
    shape
}

/// Of two agents one can do what the first contact needs for a while, and nobody what the second needs at first.
pub(super) fn skills() -> Shape {
    let need = |skill, level| Need {
        skill: SkillId::from_u128(skill),
        comparison: Comparison::AtLeast,
        level,
    };
    let for_a_while = |needs| Step {
        needs: vec![needs],
        lasts: Some(Duration::from_secs(1)),
    };
    let mut shape = two_agents_two_contacts();
    shape.agents[0].skills = Skills::from_iter([(SkillId::from_u128(1), 5)]);
    let steps = [
        vec![for_a_while(need(1, 5))],
        vec![for_a_while(need(2, 1)), for_a_while(need(1, 3))],
    ];
    for (contact, steps) in shape.contacts.iter_mut().zip(steps) {
        contact.needs = Arc::new(Needs { steps });
    }
    shape
}
