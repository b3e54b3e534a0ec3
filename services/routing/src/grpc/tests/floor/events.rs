//! What is told on the bus.

use super::*;

impl Floor {
    pub async fn events(&self) -> Events {
        Events(self.bus.watch(&["*.routing.#"]).await.unwrap())
    }
}

/// The routing events of the floor.
pub struct Events(pub(super) Box<dyn Watch>);

impl Events {
    pub async fn next_of(&mut self, contact: ContactId) -> Event {
        loop {
            match soon(self.0.next()).await {
                Some(Seen::Event(event)) if event.subject == contact.to_string() => return event,
                Some(_) => {}
                None => panic!("the bus is closed"),
            }
        }
    }
}

impl Events {
    /// The next incident, which the monitor needs some seconds to be sure of.
    pub async fn next_incident(&mut self) -> centro_proto::events::InvariantBroken {
        loop {
            let Some(Seen::Event(event)) = soon(self.0.next()).await else {
                panic!("no more events")
            };
            if let Some(incident) = event.decode() {
                return incident;
            }
        }
    }

    /// The agent's next change to this state.
    pub async fn until(&mut self, agent: u128, state: AgentState) -> AgentStateChanged {
        loop {
            let Some(Seen::Event(event)) = soon(self.0.next()).await else {
                panic!("no more events")
            };
            let change = event.decode::<AgentStateChanged>();
            if let Some(change) = change
                && change.agent_id == user(agent).to_string()
                && change.state() == state
            {
                return change;
            }
        }
    }
}
