//! What holds when everything has come to rest.

use super::World;
use centro_edge::{Edge, Phase};
use centro_routing_core::invariants::{self, Broken};

impl World {
    /// Contacts are gone and everybody knows it, agents have empty hands, queues are empty.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn at_rest(&self) -> Result<(), Broken> {
        // Who was left out of a story never came.
        let over = |edge: &Edge| edge.done() && matches!(edge.phase(), Phase::New | Phase::Gone(_));
        let owned = self
            .contacts
            .iter()
            .all(|c| c.is_dead() || c.edge().is_some());
        if !owned || !self.contacts.iter().filter_map(|c| c.edge()).all(over) {
            return Err(Broken::ContactStuck);
        }
        for shard in &self.agents {
            if let Some(live) = &shard.live {
                invariants::agent_at_rest(&shard.stored, &live.actor)?;
            }
        }
        for shard in &self.queues {
            if let Some(live) = &shard.live {
                invariants::queue_at_rest(&shard.stored, &live.actor)?;
            }
        }
        Ok(())
    }

    /// Grants made so far, of the agent with the most.
    pub fn most_grants(&self) -> u64 {
        let grants = self.agents.iter().map(|shard| shard.stored.next - 1);
        grants.max().unwrap_or(0)
    }
}
