//! `QueueStatuses`: the queues as they are now.

use super::Doors;
use crate::{directory::QueueConfig, wire};
use async_trait::async_trait;
use centro_contract::{principal, status::from_fault};
use centro_kernel::Timestamp;
use centro_proto::routing::{
    ListQueueStatusesRequest, ListQueueStatusesResponse, QueueStatus, WaitingContact,
    queue_statuses_server::QueueStatuses,
};
use centro_routing_core::Wish;
use centro_store::page;
use tonic::{Request, Response, Status};

/// Waiting contacts shown of one queue.
const SHOWN: usize = 100;

#[async_trait]
impl QueueStatuses for Doors {
    async fn list_queue_statuses(
        &self,
        request: Request<ListQueueStatusesRequest>,
    ) -> Result<Response<ListQueueStatusesResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let request = request.into_inner();
        let limit = page::limit(request.page_size);
        let pages = self.pages("queue statuses", tenant, "");
        let after = pages.after(&request.page_token).map_err(from_fault)?;
        let most = usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let mut queues = self.0.directory.queues(tenant, after, most);
        let next_page_token = pages.next(&mut queues, limit, |queue| queue.settings.id);

        let now = self.0.now();
        let queues = queues.iter().map(|queue| self.queue_status(now, queue));
        Ok(Response::new(ListQueueStatusesResponse {
            queues: queues.collect(),
            next_page_token,
            as_of: Some(wire::time(now)),
        }))
    }
}

impl Doors {
    fn queue_status(&self, now: Timestamp, queue: &QueueConfig) -> QueueStatus {
        let id = queue.settings.id;
        let staff = self.0.live.staff(id);
        let live = self.0.live.queue(id, SHOWN);
        let (rules, next) = (queue.figures, live.waiting.saturating_add(1));
        let figures = &self.0.live.figures;
        let zone = self.0.directory.zone(queue.tenant);
        let (today, wait) = figures.queue(&zone, now, id, rules, next, staff.serving());
        let contacts = (1..)
            .zip(&live.first)
            .map(|(position, entry)| WaitingContact {
                contact_id: entry.contact.to_string(),
                position,
                enqueue_time: Some(wire::time(entry.enqueued_at)),
                caller: wire::party(&entry.caller),
                priority: entry.priority,
                offered_to: entry
                    .offers
                    .first()
                    .map(|r| r.agent.to_string())
                    .unwrap_or_default(),
                kind: wire::kind_out(entry.kind).into(),
                step: entry.step.into(),
                steps: u32::try_from(entry.needs.steps.len()).unwrap_or(u32::MAX),
                relax_time: entry.relax_due.map(wire::time),
                boosted: entry.boosted,
                moving_to: match entry.wish {
                    Some((Wish::MoveTo(queue), _)) => queue.to_string(),
                    Some((Wish::TakeOut, _)) | None => String::new(),
                },
            });
        QueueStatus {
            queue_id: id.to_string(),
            display_name: queue.display_name.clone(),
            waiting: live.waiting,
            longest_wait_since: live.longest_since.map(wire::time),
            agents_logged_in: staff.logged_in,
            agents_ready: staff.ready,
            agents_paused: staff.paused,
            agents_in_contact: staff.in_contact,
            agents_in_wrap_up: staff.in_wrap_up,
            agents_not_responding: staff.not_responding,
            agents_alerting: staff.alerting,
            agents_unreachable: staff.unreachable,
            contacts: contacts.collect(),
            mean_wait: wire::mean_wait_out(&today.mean_wait),
            expected_wait: wire::expected_wait_out(wait),
            today: Some(wire::queue_today_out(&today, &rules)),
        }
    }
}
