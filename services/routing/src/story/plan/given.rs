//! How things stand, understood.

use super::{Agent, Kind, MOST, Read, Reader};
use crate::story::text::{self, Medium, RonaAction, Rules, State, Strategy};
use centro_kernel::{QueueId, UserId};
use centro_routing_core::Capacity;
use serde_saphyr::Spanned;
use std::time::Duration;

impl Reader {
    pub(super) fn queues(
        &mut self,
        named: text::Named<Spanned<Rules>>,
    ) -> Read<Vec<(QueueId, Rules)>> {
        let mut queues = Vec::new();
        for (name, rules) in named.0 {
            self.line = Some(rules.referenced.line());
            let rules = rules.value;
            let fits = in_range(&rules).and_then(|()| suits(&rules, rules.medium));
            fits.or_else(|text| self.wrong(format!("queue `{name}`: {text}")))?;
            let Some((id, _)) =
                self.cast
                    .queues
                    .add(&name, self.seed, Kind::Queue, QueueId::from_u128)
            else {
                return self.wrong(format!("the queue `{name}` is named twice"));
            };
            if rules.medium == Some(Medium::Chat) {
                self.in_writing.insert(id);
            }
            queues.push((id, rules));
        }
        self.line = None;
        if queues.is_empty() {
            return self.wrong("a story needs at least one queue under `given`");
        }
        Ok(queues)
    }

    pub(super) fn agents(&mut self, named: text::Named<Spanned<text::Agent>>) -> Read<Vec<Agent>> {
        let mut agents = Vec::new();
        for (name, agent) in named.0 {
            self.line = Some(agent.referenced.line());
            let agent = agent.value;
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
        self.line = None;
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

/// Calls are not dealt out like conversations.
pub(super) fn suits(rules: &Rules, medium: Option<Medium>) -> Result<(), String> {
    let of_chat = matches!(
        rules.ring_strategy,
        Some(Strategy::Balanced | Strategy::FillFirst | Strategy::ManualPick)
    );
    if of_chat && medium != Some(Medium::Chat) {
        return Err("`balanced`, `fill_first` and `manual_pick` are for `medium: chat`".to_owned());
    }
    Ok(())
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
    let action = rules.rona.as_ref().and_then(|rona| rona.action.as_ref());
    if let Some(RonaAction::Pause(reason)) = action
        && (reason.trim().is_empty() || reason.chars().count() > 255)
    {
        return Err("`rona` pauses with a reason of 1 to 255 characters".to_owned());
    }
    let states = rules.available_states.as_deref().unwrap_or_default();
    let has = |state| states.contains(&state);
    if has(State::LoggedOut) {
        return Err("`logged_out` is no state in which anybody is there".to_owned());
    }
    let alerting = has(State::Alerting);
    if alerting != has(State::Connected) || (has(State::Reserved) && !alerting) {
        let text = "`reserved`, `alerting` and `connected` count alike: name the last two, or none";
        return Err(text.to_owned());
    }
    let wait = aging.and_then(|a| a.max_wait_guarantee);
    seconds("max_wait_guarantee", wait, 1, 86_400)
}
