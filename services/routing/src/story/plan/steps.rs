//! What happens, understood.

use super::{
    Action, Caller, Kind, MOST, Read, Reader, Request, Step, Touch,
    given::{in_range, suits},
    pick,
};
use crate::story::text::{self, Does, Kill, Medium, Repeat, Supervises, words};
use centro_kernel::{ContactId, UserId};
use serde_saphyr::Spanned;
use std::{sync::Arc, time::Duration};

/// The longest time-out of a Queue node (spec D10).
const DAY: Duration = Duration::from_secs(86_400);
/// Kinds of lots.
const ARRIVAL: u64 = 1;
const PATIENCE: u64 = 2;
const TALK: u64 = 3;

impl Reader {
    pub(super) fn steps(
        &mut self,
        entries: Vec<Spanned<text::Step>>,
        usual: &text::Caller,
    ) -> Read<Vec<Step>> {
        let mut steps = Vec::new();
        for entry in entries {
            self.line = Some(entry.referenced.line());
            let line = entry.referenced.line();
            let at = self.moment(entry.value.at)?;
            self.one_thing(&entry.value)?;
            if entry.value.call.is_some() {
                self.calls(at, line, &entry.value, usual, &mut steps)?;
                continue;
            }
            let (action, words) = self.action(&entry.value)?;
            let refused = entry.value.refused;
            if refused.is_some() && !matches!(action, Action::Ask { .. }) {
                return self.wrong("only what people ask for can be refused");
            }
            steps.push(Step {
                at,
                line,
                words,
                action,
                refused,
            });
        }
        // Entries of one moment keep the order of the file.
        steps.sort_by_key(|step| step.at);
        Ok(steps)
    }

    /// What is said belongs together.
    fn one_thing(&self, step: &text::Step) -> Read<()> {
        let said = [
            ("call", step.call.is_some()),
            ("hang_up", step.hang_up.is_some()),
            ("press", step.press.is_some()),
            ("agent", step.agent.is_some()),
            ("supervisor", step.supervisor.is_some()),
            ("configure", step.configure.is_some()),
            ("delete", step.delete.is_some()),
            ("assign", step.assign.is_some()),
            ("unassign", step.unassign.is_some()),
            ("skill", step.skill.is_some()),
            ("organisation", step.organisation.is_some()),
            ("kill", step.kill.is_some()),
        ];
        let said: Vec<_> = said.iter().filter(|(_, is)| *is).map(|(n, _)| *n).collect();
        let [what] = said[..] else {
            let all = "call, hang_up, press, agent, supervisor, configure, delete, assign, unassign, skill, organisation or kill";
            return self.wrong(match said.as_slice() {
                [] => format!("nothing happens here: say {all}"),
                several => format!("one thing at a time: here are {}", several.join(", ")),
            });
        };
        let belongs = [
            ("queue", step.queue.is_some(), "call"),
            ("priority", step.priority.is_some(), "call"),
            ("needs", step.needs.is_some(), "call"),
            ("patience", step.patience.is_some(), "call"),
            ("timeout", step.timeout.is_some(), "call"),
            ("talks", step.talks.is_some(), "call"),
            ("repeat", step.repeat.is_some(), "call"),
            ("caller", step.caller.is_some(), "press"),
            ("does", step.does.is_some(), "agent"),
            ("set", step.set.is_some(), "configure"),
        ];
        for (word, is, to) in belongs {
            if is && what != to {
                return self.wrong(format!("`{word}` belongs to `{to}`, and here is `{what}`"));
            }
        }
        Ok(())
    }

    fn calls(
        &mut self,
        at: Duration,
        line: u64,
        step: &text::Step,
        usual: &text::Caller,
        steps: &mut Vec<Step>,
    ) -> Read<()> {
        let name = step.call.as_deref().unwrap_or_default();
        let Some(repeat) = step.repeat else {
            return self.one_call(name, at, line, step, usual, steps);
        };
        let mut next = at;
        for n in 1..=repeat.count {
            self.one_call(&format!("{name}-{n}"), next, line, step, usual, steps)?;
            next += self.gap(repeat);
        }
        Ok(())
    }

    /// The time to the next of many callers: always the same, or of a Poisson process.
    fn gap(&self, repeat: Repeat) -> Duration {
        if !repeat.random {
            return repeat.every.0;
        }
        let lot = self.lot(ARRIVAL, self.cast.callers.ids.len());
        // Never 0, so that its logarithm is a number.
        let share = (f64::from(u32::try_from(lot >> 32).unwrap_or(0)) + 1.0) / 4_294_967_297.0;
        let gap = repeat.every.0.mul_f64(-share.ln());
        Duration::from_millis(u64::try_from(gap.as_millis()).unwrap_or(0))
    }

    fn one_call(
        &mut self,
        name: &str,
        at: Duration,
        line: u64,
        step: &text::Step,
        usual: &text::Caller,
        steps: &mut Vec<Step>,
    ) -> Read<()> {
        if self.cast.callers.ids.len() >= MOST {
            return self.wrong("a story has at most 100 000 callers");
        }
        let queue = match step.queue.as_ref().or(usual.queue.as_ref()) {
            Some(name) => self.queue(name)?,
            None => self.only_queue()?,
        };
        let needs = step.needs.as_ref().or(usual.needs.as_ref());
        let needs = self.needs(needs.map_or(&[], Vec::as_slice))?;
        let added = self
            .cast
            .callers
            .add(name, self.seed, Kind::Caller, ContactId::from_u128);
        let Some((id, name)) = added else {
            return self.wrong(format!(
                "the caller `{name}` comes twice: give another name"
            ));
        };
        let number = self.cast.callers.ids.len();
        let priority = step.priority.or(usual.priority).unwrap_or(0);
        self.priority(priority)?;
        let timeout = step.timeout.or(usual.timeout).map(|t| t.0);
        if timeout.is_some_and(|t| t < Duration::from_secs(1) || t > DAY) {
            return self.wrong("`timeout` goes from 1s to 24h");
        }
        let patience = step.patience.or(usual.patience);
        let talks = step.talks.or(usual.talks);
        let caller = Caller {
            id,
            name,
            queue,
            priority,
            needs: Arc::new(needs),
            patience: pick(patience, self.lot(PATIENCE, number)),
            timeout,
            talks: pick(talks, self.lot(TALK, number)),
        };
        steps.push(Step {
            at,
            line,
            words: format!("{} calls {}", caller.name, self.cast.queue(queue)),
            action: Action::Call(Box::new(caller)),
            refused: None,
        });
        Ok(())
    }

    /// As a supervisor may set it.
    fn priority(&self, priority: u32) -> Read<()> {
        if priority > 1_000 {
            return self.wrong("`priority` goes from 0 to 1000");
        }
        Ok(())
    }

    /// By how much a wrap-up may be prolonged at once.
    fn extension(&self, by: text::Span) -> Read<Duration> {
        if by.0 < Duration::from_secs(1) || by.0 > Duration::from_secs(900) {
            return self.wrong("a wrap-up is prolonged by 1s to 900s at once");
        }
        Ok(by.0)
    }

    fn action(&self, step: &text::Step) -> Read<(Action, String)> {
        if let Some(caller) = &step.hang_up {
            let id = self.caller(caller)?;
            return Ok((Action::HangUp(id), format!("{caller} hangs up")));
        }
        if let Some(key) = &step.press {
            let Some(caller) = &step.caller else {
                return self.wrong("say which `caller` presses the key");
            };
            if key != "*" {
                return self.wrong("only `*` means something to a queue");
            }
            let id = self.caller(caller)?;
            return Ok((Action::Star(id), format!("{caller} presses *")));
        }
        if let Some(agent) = &step.agent {
            let Some(does) = &step.does else {
                return self.wrong(format!("say what `{agent}` does"));
            };
            return self.agent_does(agent, does);
        }
        if let Some(supervises) = &step.supervisor {
            return self.supervisor_does(supervises);
        }
        if let Some(name) = &step.configure {
            let queue = self.queue(name)?;
            let Some(rules) = &step.set else {
                return self.wrong("say under `set` which settings change");
            };
            let written = self.in_writing.contains(&queue).then_some(Medium::Chat);
            let fits = in_range(rules).and_then(|()| suits(rules, rules.medium.or(written)));
            fits.or_else(|text| self.wrong(text))?;
            let words = format!("the settings of {name} change");
            return Ok((Action::Configure(queue, Box::new(rules.clone())), words));
        }
        if let Some(name) = &step.delete {
            let words = format!("the queue {name} is deleted");
            return Ok((Action::Delete(self.queue(name)?), words));
        }
        if let Some(text::Assignment { agent, queue }) = &step.assign {
            let words = format!("{agent} is assigned to {queue}");
            let action = Action::Assign(self.agent(agent)?, self.queue(queue)?, true);
            return Ok((action, words));
        }
        if let Some(text::Assignment { agent, queue }) = &step.unassign {
            let words = format!("{agent} is no longer assigned to {queue}");
            let action = Action::Assign(self.agent(agent)?, self.queue(queue)?, false);
            return Ok((action, words));
        }
        if let Some(learned) = &step.skill {
            let text::Learned {
                agent,
                skill,
                level,
            } = learned;
            if *level > 10 {
                return self.wrong("levels of skills go from 1 to 10, and 0 takes one away");
            }
            let words = format!("{agent} has {skill} at level {level} from now on");
            let action = Action::Teach(self.agent(agent)?, self.skill(skill)?, *level);
            return Ok((action, words));
        }
        if let Some(organisation) = step.organisation {
            let may = organisation.log_in_to_any_queue;
            let words = format!("people may log in to any queue: {may}");
            return Ok((Action::LogInToAnyQueue(may), words));
        }
        match &step.kill {
            Some(Kill::Queue(name)) => {
                let words = format!("the actor of the queue {name} dies");
                Ok((Action::KillQueue(self.queue(name)?), words))
            }
            Some(Kill::Agent(name)) => {
                let words = format!("the actor of the agent {name} dies");
                Ok((Action::KillAgent(self.agent(name)?), words))
            }
            None => self.wrong("nothing happens here"),
        }
    }

    fn agent_does(&self, name: &str, does: &Does) -> Read<(Action, String)> {
        let agent = self.agent(name)?;
        let ask = |request| Action::Ask {
            by: Some(agent),
            request,
        };
        let log_in = |queues, ready| {
            ask(Request::LogIn {
                agent,
                queues,
                ready,
                desktop: self.desktops.contains(&agent),
            })
        };
        Ok(match does {
            Does::LogIn => (log_in(Vec::new(), true), format!("{name} logs in")),
            Does::LogInWith(with) => {
                let queues = with.queues.iter().map(|queue| self.queue(queue));
                let queues = queues.collect::<Read<_>>()?;
                (log_in(queues, !with.paused), format!("{name} logs in"))
            }
            Does::LogOut => (ask(Request::LogOut(agent)), format!("{name} logs out")),
            Does::Ready => (ask(Request::Ready(agent)), format!("{name} becomes ready")),
            Does::Pause(reason) => (
                ask(Request::Pause(agent, reason.clone())),
                format!("{name} pauses: {reason}"),
            ),
            Does::PauseIn(pause) => {
                let queue = self.queue(&pause.queue)?;
                let words = format!("{name} pauses in {}", pause.queue);
                let reason = pause.reason.clone();
                (ask(Request::PauseIn(agent, queue, reason)), words)
            }
            Does::ResumeIn(queue) => {
                let words = format!("{name} takes part in {queue} again");
                (ask(Request::ResumeIn(agent, self.queue(queue)?)), words)
            }
            Does::EndWrapUp => {
                let words = format!("{name} ends the wrap-up");
                (ask(Request::EndWrapUp(agent)), words)
            }
            Does::Extend(by) => {
                let by = self.extension(*by)?;
                let text = format!("{name} prolongs the wrap-up by {}", words(by));
                (ask(Request::Extend(agent, by)), text)
            }
            Does::Answer => self.touch(agent, Touch::Answer, format!("{name} answers")),
            Does::Decline => self.touch(agent, Touch::Decline, format!("{name} declines")),
            Does::HangUp => self.touch(agent, Touch::HangUp, format!("{name} hangs up")),
            Does::PhoneComes => {
                let words = format!("{name}'s phone registers");
                self.touch(agent, Touch::Register(true), words)
            }
            Does::PhoneGoes => {
                let words = format!("{name}'s phone is not registered any more");
                self.touch(agent, Touch::Register(false), words)
            }
            Does::Phone(phone) => {
                let words = format!("{name}'s phone behaves differently from now on");
                self.touch(agent, Touch::Behave(*phone), words)
            }
            Does::CloseDesktop => {
                let words = format!("{name} closes the desktop");
                (ask(Request::CloseDesktop(agent)), words)
            }
            Does::LoseDesktop => {
                let words = format!("{name}'s desktop shows no sign of life any more");
                (Action::Desktop(agent, false), words)
            }
            Does::OpenDesktop => {
                let words = format!("{name}'s desktop is back");
                (Action::Desktop(agent, true), words)
            }
        })
    }

    #[allow(clippy::unused_self)]
    fn touch(&self, agent: UserId, touch: Touch, words: String) -> (Action, String) {
        (Action::Phone(agent, touch), words)
    }

    fn supervisor_does(&self, does: &Supervises) -> Read<(Action, String)> {
        let ask = |request| Action::Ask { by: None, request };
        Ok(match does {
            Supervises::SetPriority { caller, priority } => {
                self.priority(*priority)?;
                let words = format!("a supervisor gives {caller} priority {priority}");
                let request = Request::SetPriority(self.caller(caller)?, *priority);
                (ask(request), words)
            }
            Supervises::Move { caller, to } => {
                let words = format!("a supervisor moves {caller} to {to}");
                (
                    ask(Request::Move(self.caller(caller)?, self.queue(to)?)),
                    words,
                )
            }
            Supervises::TakeOut(caller) => {
                let words = format!("a supervisor takes {caller} out");
                (ask(Request::TakeOut(self.caller(caller)?)), words)
            }
            Supervises::PickUp { caller, by } => {
                let action = Action::Ask {
                    by: Some(self.agent(by)?),
                    request: Request::PickUp(self.caller(caller)?),
                };
                (action, format!("{by} picks {caller} up"))
            }
            Supervises::EndWrapUp(agent) => {
                let words = format!("a supervisor ends the wrap-up of {agent}");
                (ask(Request::EndWrapUp(self.agent(agent)?)), words)
            }
            Supervises::Extend { agent, by } => {
                let text = format!("a supervisor prolongs the wrap-up of {agent}");
                let by = self.extension(*by)?;
                (ask(Request::Extend(self.agent(agent)?, by)), text)
            }
            Supervises::LogIn { agent, queues } => {
                let words = format!("a supervisor logs {agent} in");
                let queues = queues.iter().map(|queue| self.queue(queue));
                let agent = self.agent(agent)?;
                let request = Request::LogIn {
                    agent,
                    queues: queues.collect::<Read<_>>()?,
                    ready: true,
                    desktop: self.desktops.contains(&agent),
                };
                (ask(request), words)
            }
            Supervises::LogOut(agent) => {
                let words = format!("a supervisor logs {agent} out");
                (ask(Request::LogOut(self.agent(agent)?)), words)
            }
            Supervises::Pause { agent, reason } => {
                let words = format!("a supervisor pauses {agent}: {reason}");
                let request = Request::Pause(self.agent(agent)?, reason.clone());
                (ask(request), words)
            }
            Supervises::Ready(agent) => {
                let words = format!("a supervisor makes {agent} ready");
                (ask(Request::Ready(self.agent(agent)?)), words)
            }
        })
    }
}
