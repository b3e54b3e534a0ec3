//! How things stand, understood.

use super::{Agent, Kind, MOST, Read, Reader};
use crate::story::text::{self, Rules};
use centro_kernel::{QueueId, UserId};
use centro_routing_core::Capacity;
use std::time::Duration;

impl Reader {
    pub(super) fn queues(&mut self, named: text::Named<Rules>) -> Read<Vec<(QueueId, Rules)>> {
        let mut queues = Vec::new();
        for (name, rules) in named.0 {
            in_range(&rules).or_else(|text| self.wrong(format!("queue `{name}`: {text}")))?;
            let Some((id, _)) =
                self.cast
                    .queues
                    .add(&name, self.seed, Kind::Queue, QueueId::from_u128)
            else {
                return self.wrong(format!("the queue `{name}` is named twice"));
            };
            queues.push((id, rules));
        }
        if queues.is_empty() {
            return self.wrong("a story needs at least one queue under `given`");
        }
        Ok(queues)
    }

    pub(super) fn agents(&mut self, named: text::Named<text::Agent>) -> Read<Vec<Agent>> {
        let mut agents = Vec::new();
        for (name, agent) in named.0 {
            let names = match agent.count {
                None => vec![name],
                Some(count) => (1..=count).map(|n| format!("{name}-{n}")).collect(),
            };
            for name in names {
                if agents.len() >= MOST {
                    return self.wrong("a story has at most 100 000 agents");
                }
                agents.push(self.one_agent(&name, &agent)?);
            }
        }
        Ok(agents)
    }

    fn one_agent(&mut self, name: &str, agent: &text::Agent) -> Read<Agent> {
        let queues = agent.queues.iter().map(|queue| self.queue(queue));
        let queues = queues.collect::<Read<_>>()?;
        let mut skills = Vec::new();
        for (skill, level) in &agent.skills.0 {
            if !(1..=10).contains(level) {
                return self.wrong(format!("agent `{name}`: levels of skills go from 1 to 10"));
            }
            skills.push((self.skill(skill)?, *level));
        }
        let usual = Capacity::default();
        let chats = agent.capacity.chats.unwrap_or(usual.chats);
        if !(1..=30).contains(&chats) {
            return self.wrong(format!("agent `{name}`: `chats` goes from 1 to 30"));
        }
        if agent.phone.answers_after.is_some() && agent.phone.declines_after.is_some() {
            return self.wrong(format!(
                "agent `{name}`: a phone answers or declines, not both"
            ));
        }
        let Some((id, name)) =
            self.cast
                .agents
                .add(name, self.seed, Kind::Agent, UserId::from_u128)
        else {
            return self.wrong(format!("the agent `{name}` is named twice"));
        };
        if agent.desktop.is_some() {
            self.desktops.insert(id);
        }
        Ok(Agent {
            id,
            name,
            queues,
            skills,
            capacity: Capacity {
                chats,
                voice_interrupts_chat: agent.capacity.voice_interrupts_chat,
            },
            phone: agent.phone,
            logged_in: agent
                .logged_in
                .unwrap_or(true)
                .then_some(agent.ready.unwrap_or(true)),
            desktop: agent.desktop.map(|every| every.0),
            order: agent.order.unwrap_or(0),
        })
    }
}

/// The ranges of spec §2.2, as the product's forms check them.
pub(super) fn in_range(rules: &Rules) -> Result<(), String> {
    let seconds = |name: &str, value: Option<text::Span>, least: u64, most: u64| {
        let fits = value.is_none_or(|value| {
            (Duration::from_secs(least)..=Duration::from_secs(most)).contains(&value.0)
        });
        fits.then_some(())
            .ok_or_else(|| format!("`{name}` goes from {least}s to {most}s"))
    };
    let number = |name: &str, value: Option<u32>, least: u32, most: u32| {
        let fits = value.is_none_or(|value| (least..=most).contains(&value));
        fits.then_some(())
            .ok_or_else(|| format!("`{name}` goes from {least} to {most}"))
    };
    seconds("agent_ring_timeout", rules.agent_ring_timeout, 5, 900)?;
    seconds("retry_delay", rules.retry_delay, 0, 300)?;
    seconds("wrap_up", rules.wrap_up.and_then(|w| w.seconds), 0, 900)?;
    seconds("leave_empty_grace", rules.leave_empty_grace, 0, 600)?;
    seconds("reject_delay", rules.reject_delay, 0, 600)?;
    seconds("busy_delay", rules.busy_delay, 0, 600)?;
    seconds("no_answer_delay", rules.no_answer_delay, 0, 600)?;
    seconds("connect_delay", rules.connect_delay, 0, 30)?;
    number("max_callers", rules.max_callers, 0, 10_000)?;
    number("weight", rules.weight, 0, 1_000)?;
    number(
        "rona.count",
        rules.rona.as_ref().and_then(|r| r.count),
        1,
        10,
    )?;
    let aging = rules.aging;
    number(
        "points_per_minute",
        aging.map(|a| a.points_per_minute),
        0,
        1_000,
    )?;
    number(
        "max_overtakes",
        aging.and_then(|a| a.max_overtakes),
        1,
        10_000,
    )?;
    let wait = aging.and_then(|a| a.max_wait_guarantee);
    seconds("max_wait_guarantee", wait, 1, 86_400)
}
