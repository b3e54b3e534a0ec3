//! What must be seen, understood.

use super::{Check, Read, Reader};
use crate::story::{
    check::{Claim, Counted, Exit, Other},
    log::{Name, OUTCOMES, REASONS, outcome_name, reason_name},
    text::{self, Lines, Named},
};
use centro_kernel::contact::LeftReason;
use serde_saphyr::Spanned;
use std::time::Duration;

/// What agents can be seen doing; `paused` may name the reason in brackets.
const STATES: [&str; 8] = [
    "logged_out",
    "ready",
    "reserved",
    "alerting",
    "connected",
    "wrap_up",
    "paused",
    "not_responding",
];

impl Reader {
    pub(super) fn checks(&mut self, entries: Vec<Spanned<text::Check>>) -> Read<Vec<Check>> {
        let mut checks = Vec::new();
        for entry in entries {
            let line = entry.referenced.line();
            self.line = Some(line);
            checks.push(self.check(line, &entry.value)?);
        }
        Ok(checks)
    }

    fn check(&mut self, line: u64, check: &text::Check) -> Read<Check> {
        let at = match check.at {
            Some(at) => Some(self.moment(Some(at))?),
            None => None,
        };
        if check.within.is_some() && at.is_none() {
            return self.wrong("`within` says how much later than `at` is still good: say `at`");
        }
        let last = self.last;
        let from = match check.from {
            Some(from) => self.moment(Some(from))?,
            None => Duration::ZERO,
        };
        let until = match check.until {
            Some(until) => Some(self.moment(Some(until))?),
            None => None,
        };
        self.last = last;
        if until.is_some() && check.never.is_none() {
            return self.wrong("`until` belongs to `never`");
        }
        let never = match &check.never {
            Some(never) => self.never(never)?,
            None => Vec::new(),
        };
        let claims = self.claims(check)?;
        if claims.is_empty() && never.is_empty() {
            return self.wrong("nothing is checked here");
        }
        Ok(Check {
            line,
            at,
            within: check.within.map_or(Duration::ZERO, |within| within.0),
            from,
            until,
            claims,
            never,
        })
    }

    fn claims(&self, check: &text::Check) -> Read<Vec<Claim>> {
        let mut claims = self.parties(&check.rings, &check.connected, &check.offered)?;
        match &check.waiting {
            None => {}
            Some(Lines::Only(line)) => {
                let queue = self.cast.queue(self.only_queue()?);
                claims.push(Claim::Waiting(queue, self.callers(line)?));
            }
            Some(Lines::Of(lines)) => {
                for (queue, line) in &lines.0 {
                    let queue = self.cast.queue(self.queue(queue)?);
                    claims.push(Claim::Waiting(queue, self.callers(line)?));
                }
            }
        }
        for (queue, n) in &check.waiting_count.0 {
            let queue = self.cast.queue(self.queue(queue)?);
            claims.push(Claim::WaitingCount(queue, *n));
        }
        claims.extend(self.exits(&check.left)?);
        claims.extend(self.states(&check.state)?);
        for (agent, queues) in &check.queues.0 {
            let queues = queues.iter().map(|q| Ok(self.cast.queue(self.queue(q)?)));
            let mut queues: Vec<Name> = queues.collect::<Read<_>>()?;
            queues.sort_unstable();
            claims.push(Claim::Queues(self.agent_name(agent)?, queues));
        }
        for (state, n) in &check.agents.0 {
            claims.push(Claim::Agents(self.state(state)?, *n));
        }
        let counted = [
            (Counted::Offers, &check.offers),
            (Counted::Missed, &check.missed),
            (Counted::Talks, &check.talks),
            (Counted::Changes, &check.changes),
        ];
        for (what, counts) in counted {
            for (agent, n) in &counts.0 {
                claims.push(Claim::Count(what, self.agent_name(agent)?, *n));
            }
        }
        for (reason, n) in &check.left_count.0 {
            claims.push(Claim::LeftCount(self.reason(reason)?, *n));
        }
        Ok(claims)
    }

    fn never(&self, never: &text::Never) -> Read<Vec<Claim>> {
        let mut claims = self.parties(&never.rings, &never.connected, &never.offered)?;
        claims.extend(self.exits(&never.left)?);
        claims.extend(self.states(&never.state)?);
        if claims.is_empty() {
            return self.wrong("say what may never be");
        }
        Ok(claims)
    }

    fn parties(
        &self,
        rings: &Named<String>,
        connected: &Named<String>,
        offered: &Named<String>,
    ) -> Read<Vec<Claim>> {
        let caller = |name: &str| Ok(self.cast.caller(self.caller(name)?));
        let agent = |name: &str| self.agent_name(name);
        let mut claims = Vec::new();
        for (whose, whom) in &rings.0 {
            claims.push(Claim::Rings(agent(whose)?, other(whom, caller)?));
        }
        for (who, with) in &connected.0 {
            claims.push(Claim::Connected(caller(who)?, other(with, agent)?));
        }
        for (to, whom) in &offered.0 {
            claims.push(Claim::Offered(agent(to)?, other(whom, caller)?));
        }
        Ok(claims)
    }

    fn exits(&self, left: &Named<text::Left>) -> Read<Vec<Claim>> {
        let exits = left.0.iter().map(|(caller, left)| {
            let caller = self.cast.caller(self.caller(caller)?);
            let known = |name: &String| {
                let named = OUTCOMES.into_iter().find(|o| outcome_name(*o) == name);
                match named {
                    Some(outcome) => Ok(outcome),
                    None => {
                        let all = OUTCOMES.map(outcome_name).join(", ");
                        self.wrong(format!("`{name}` is no outcome: there is {all}"))
                    }
                }
            };
            let queue = |name: &String| Ok(self.cast.queue(self.queue(name)?));
            let exit = Exit {
                reason: left.reason.as_ref().map(|r| self.reason(r)).transpose()?,
                outcome: left.outcome.as_ref().map(known).transpose()?,
                wait: left.wait,
                queue: left.queue.as_ref().map(queue).transpose()?,
            };
            Ok(Claim::Left(caller, exit))
        });
        exits.collect()
    }

    fn states(&self, states: &Named<String>) -> Read<Vec<Claim>> {
        let states = states.0.iter().map(|(agent, state)| {
            let state = self.state(state)?;
            Ok(Claim::State(self.agent_name(agent)?, state))
        });
        states.collect()
    }

    fn state(&self, text: &str) -> Read<String> {
        let paused = text.starts_with("paused(") && text.ends_with(')');
        if paused || STATES.contains(&text) {
            return Ok(text.to_owned());
        }
        let all = STATES.join(", ");
        self.wrong(format!(
            "`{text}` is no state: there is {all}, and paused(Lunch)"
        ))
    }

    fn reason(&self, text: &str) -> Read<LeftReason> {
        let by_number = text.parse().ok().and_then(|n: usize| REASONS.get(n));
        let by_name = || REASONS.iter().find(|reason| reason_name(**reason) == text);
        match by_number.or_else(by_name) {
            Some(reason) => Ok(*reason),
            None => {
                let all = REASONS.map(reason_name).join(", ");
                self.wrong(format!("`{text}` is no reason: there is {all}"))
            }
        }
    }

    fn callers(&self, line: &[String]) -> Read<Vec<Name>> {
        let line = line.iter();
        line.map(|caller| Ok(self.cast.caller(self.caller(caller)?)))
            .collect()
    }

    fn agent_name(&self, name: &str) -> Read<Name> {
        Ok(self.cast.agent(self.agent(name)?))
    }
}

fn other(name: &str, known: impl Fn(&str) -> Read<Name>) -> Read<Other> {
    match name {
        "nobody" => Ok(Other::Nobody),
        "anybody" => Ok(Other::Anybody),
        name => known(name).map(Other::One),
    }
}
