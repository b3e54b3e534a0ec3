//! gRPC in: reports.

use crate::{
    core::{Booking, Figures, Span, Stay, Targets},
    promises::Promises,
    store::{Decided, Filter, IntervalKey, IntervalRow, StayKey, Store},
    words,
};
use centro_contract::{principal, status::from_fault};
use centro_kernel::{Code, Fault, QueueId, Timestamp};
use centro_proto::{
    analytics::{
        AgentInterval, Contact, ContactDecision, ListAgentIntervalsRequest,
        ListAgentIntervalsResponse, ListContactsRequest, ListContactsResponse,
        ListDecisionsRequest, ListDecisionsResponse, QueueCallerFigures, QueueCallerSummaryRequest,
        QueueCallerSummaryResponse, reports_server,
    },
    events, types,
};
use centro_store::page::{self, Pages};
use prost::Message;
use std::{collections::BTreeMap, time::Duration};
use tonic::{Request, Response, Status};

/// The `Reports` server.
pub(crate) struct Reports {
    pub store: Store,
    pub promises: Promises,
    pub pages: Pages,
}

#[tonic::async_trait]
impl reports_server::Reports for Reports {
    async fn list_contacts(
        &self,
        request: Request<ListContactsRequest>,
    ) -> Result<Response<ListContactsResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let request = request.into_inner();
        let filter = filter(
            request.from.as_ref(),
            request.to.as_ref(),
            &request.queue_ids,
        )?;
        let shown = (
            instant(request.from),
            instant(request.to),
            &request.queue_ids,
        );
        let pages = self.pages.list("contacts", tenant, &shown);
        let after = pages
            .after::<StayKey>(&request.page_token)
            .map_err(from_fault)?;
        let limit = page::limit(request.page_size);
        let mut rows = self
            .store
            .stays(tenant, &filter, after, limit + 1)
            .await
            .map_err(from_fault)?;
        let next_page_token = pages.next(&mut rows, limit, |(_, key)| key.clone());
        let contacts = rows
            .iter()
            .map(|(stay, _)| contact(stay, &self.promises.of(stay.queue)))
            .collect();
        Ok(Response::new(ListContactsResponse {
            contacts,
            next_page_token,
        }))
    }

    async fn list_decisions(
        &self,
        request: Request<ListDecisionsRequest>,
    ) -> Result<Response<ListDecisionsResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let id = &request.get_ref().contact_id;
        let contact = id
            .parse()
            .map_err(|_| from_fault(Fault::not_found("contact", id)))?;
        let kept = self.store.decisions(tenant, contact).await;
        let decisions = kept.map_err(from_fault)?.into_iter().map(decision_out);
        let decisions = decisions.collect::<Result<_, _>>().map_err(from_fault)?;
        Ok(Response::new(ListDecisionsResponse { decisions }))
    }

    async fn queue_caller_summary(
        &self,
        request: Request<QueueCallerSummaryRequest>,
    ) -> Result<Response<QueueCallerSummaryResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let request = request.into_inner();
        let filter = filter(
            request.from.as_ref(),
            request.to.as_ref(),
            &request.queue_ids,
        )?;
        let (Some(from), Some(to)) = (filter.from, filter.to) else {
            return Err(from_fault(
                Fault::new(Code::Invalid, "span_missing", "say from when and to when").at("/from"),
            ));
        };
        let (span, booking) = (Span { from, to }, Booking::default());
        // Queues that were asked for have a row even when nobody called.
        let mut queues: BTreeMap<QueueId, (Targets, Figures)> = BTreeMap::new();
        let empty = |queue| (self.promises.of(queue), Figures::default());
        queues.extend(filter.queues.iter().map(|queue| (*queue, empty(*queue))));
        let show = |stay: &Stay| {
            let (targets, figures) = queues
                .entry(stay.queue)
                .or_insert_with(|| empty(stay.queue));
            figures.count(stay, targets, booking, span);
        };
        let read = self
            .store
            .each_stay(tenant, span, &filter.queues, booking, show)
            .await;
        read.map_err(from_fault)?;
        let mut total = Figures::default();
        queues.values().for_each(|(_, figures)| total.add(figures));
        Ok(Response::new(QueueCallerSummaryResponse {
            total: Some(figures_out(String::new(), &total)),
            queues: queues
                .iter()
                .map(|(id, (_, sums))| figures_out(id.to_string(), sums))
                .collect(),
        }))
    }

    async fn list_agent_intervals(
        &self,
        request: Request<ListAgentIntervalsRequest>,
    ) -> Result<Response<ListAgentIntervalsResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let request = request.into_inner();
        let filter = filter(request.from.as_ref(), request.to.as_ref(), &[])?;
        let agent = match request.agent_id.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|error| malformed(&error, "/agentId"))?),
        };
        let shown = (
            instant(request.from),
            instant(request.to),
            &request.agent_id,
        );
        let pages = self.pages.list("agent intervals", tenant, &shown);
        let after = pages
            .after::<IntervalKey>(&request.page_token)
            .map_err(from_fault)?;
        let limit = page::limit(request.page_size);
        let read = self
            .store
            .intervals(tenant, agent, &filter, after, limit + 1)
            .await;
        let mut rows = read.map_err(from_fault)?;
        let next_page_token = pages.next(&mut rows, limit, |(agent, interval)| {
            (interval.start.as_millis(), agent.to_string())
        });
        let intervals = rows.into_iter().map(interval_out).collect();
        Ok(Response::new(ListAgentIntervalsResponse {
            intervals,
            next_page_token,
        }))
    }
}

/// An instant as a page token is bound to it.
fn instant(time: Option<prost_types::Timestamp>) -> Option<(i64, i32)> {
    time.map(|time| (time.seconds, time.nanos))
}

fn filter(
    from: Option<&prost_types::Timestamp>,
    to: Option<&prost_types::Timestamp>,
    queues: &[String],
) -> Result<Filter, Status> {
    let (from, to) = (from.map(words::time), to.map(words::time));
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        let fault = Fault::new(
            Code::Invalid,
            "span_empty",
            "the end must be after the start",
        );
        return Err(from_fault(fault.at("/to")));
    }
    let queues = queues
        .iter()
        .map(|id| id.parse().map_err(|error| malformed(&error, "/queueIds")));
    Ok(Filter {
        from,
        to,
        queues: queues.collect::<Result<_, _>>()?,
    })
}

fn malformed(error: &centro_kernel::IdError, field: &str) -> Status {
    from_fault(Fault::new(Code::Invalid, "id_malformed", error).at(field))
}

fn contact(stay: &Stay, targets: &Targets) -> Contact {
    let time = |at: Option<Timestamp>| at.map(words::time_out);
    let handled = stay.outcome() == Some(centro_kernel::contact::Outcome::Handled);
    Contact {
        id: stay.contact.to_string(),
        queue_id: stay.queue.to_string(),
        caller: Some(types::Party {
            number: stay.caller.number.clone(),
            display_name: stay.caller.display_name.clone(),
        }),
        dialled: stay.caller.dialled.clone(),
        agent_id: stay
            .agent
            .map(|agent| agent.to_string())
            .unwrap_or_default(),
        enqueue_time: time(stay.enqueued),
        connect_time: time(stay.connected.or(stay.settled().filter(|_| handled))),
        leave_time: time(stay.settled()),
        end_time: time(stay.ended),
        outcome: stay
            .outcome()
            .map_or(types::Outcome::Unspecified, words::outcome_out)
            .into(),
        left_reason: match stay.left {
            Some(left) => words::left_reason_out(left.reason),
            None if handled => types::LeftReason::Answered,
            None => types::LeftReason::Unspecified,
        }
        .into(),
        wait_ms: millis(stay.wait().unwrap_or_default()),
        talk_ms: millis(stay.talk),
        hold_ms: millis(stay.hold),
        wrap_up_ms: millis(stay.wrap_up),
        offers: stay.offers,
        meets_sla: targets.met_by(stay),
        ended_by: stay
            .ended_by
            .map_or(types::EndedBy::Unspecified, words::ended_by_out)
            .into(),
        recording_id: stay
            .recording
            .map(|recording| recording.to_string())
            .unwrap_or_default(),
    }
}

fn figures_out(queue_id: String, sums: &Figures) -> QueueCallerFigures {
    let by_reason = sums.by_reason.iter();
    QueueCallerFigures {
        queue_id,
        offered: sums.offered,
        answered: sums.answered,
        abandoned: sums.abandoned,
        short_abandoned: sums.short_abandoned,
        flow_out: sums.flow_out,
        still_waiting: sums.still_waiting,
        answered_in_target: sums.answered_in_target,
        wait_answered_ms: millis(sums.wait_answered),
        wait_abandoned_ms: millis(sums.wait_abandoned),
        max_wait_ms: millis(sums.max_wait),
        talk_ms: millis(sums.talk),
        hold_ms: millis(sums.hold),
        wrap_up_ms: millis(sums.wrap_up),
        service_level_percent: sums.service_level_percent(),
        abandon_rate_percent: sums.abandon_rate_percent(),
        average_speed_of_answer_ms: sums.average_speed_of_answer_ms(),
        average_time_to_abandon_ms: sums.average_time_to_abandon_ms(),
        average_handle_time_ms: sums.average_handle_time_ms(),
        by_reason: by_reason
            .map(|(reason, count)| {
                (
                    words::left_reason_out(*reason).as_str_name().to_owned(),
                    *count,
                )
            })
            .collect(),
    }
}

fn decision_out(kept: Decided) -> Result<ContactDecision, Fault> {
    let broken = |error| Fault::internal(format_args!("a kept decision is broken: {error}"));
    let bids = kept.bids.unwrap_or_default();
    Ok(ContactDecision {
        queue_id: kept.queue,
        agent_id: kept.agent,
        reservation: u64::try_from(kept.reservation).unwrap_or_default(),
        offer_time: Some(words::time_out(kept.at)),
        decision: Some(types::Decision::decode(kept.decision.as_slice()).map_err(broken)?),
        bids: events::BidsCompared::decode(bids.as_slice())
            .map_err(broken)?
            .bids,
    })
}

fn interval_out((agent, interval): IntervalRow) -> AgentInterval {
    AgentInterval {
        agent_id: agent.to_string(),
        state: interval.doing.state,
        pause_reason: interval.doing.pause_reason,
        unreachable: interval.doing.unreachable,
        start_time: Some(words::time_out(interval.start)),
        end_time: interval.end.map(words::time_out),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
