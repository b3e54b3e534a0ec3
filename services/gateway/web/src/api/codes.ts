/**
 * The codes of docs/errors.md, by whether one of these pages can meet them. What a page can meet has words of its own in
 * both languages; a test compares these lists with the document and with the words, so a new code needs a decision here.
 */
export const MET = [
  // access and the request
  'token_missing', 'token_expired', 'token_invalid', 'token_revoked', 'unauthenticated', 'forbidden', 'out_of_scope',
  'route_unknown', 'body_unreadable', 'validation_failed', 'invalid_argument',
  // state and limits
  'not_found', 'conflict', 'busy', 'deadline_exceeded', 'unavailable', 'unimplemented', 'reply_malformed', 'internal',
  'storage_unavailable', 'page_token_unknown', 'body_too_slow',
  // signing in and the password
  'credentials_wrong', 'tenant_needed', 'busy_signing_in', 'too_many_attempts', 'session_ended', 'identity_unavailable',
  'password_wrong', 'password_too_short', 'password_too_long', 'not_a_person',
  // agents
  'device_unknown', 'device_needed', 'queue_not_assigned', 'not_logged_in', 'not_in_wrap_up', 'wrap_up_not_endable',
  'not_in_queue', 'contact_not_waiting', 'contact_taken', 'time_zone_unknown', 'agent_busy', 'pick_up_unanswered', 'device_offline',
  'mailbox_full', 'owner_moving', 'configuration_loading', 'reason_too_long', 'reason_bad_character',
  // editing queues
  'threshold_missing', 'threshold_not_positive', 'threshold_not_numeric', 'rona_reason_missing', 'states_inseparable',
] as const;

/** Requests these pages do not make, or mistakes that only a fault of a page could make: told by their HTTP status. */
export const NOT_MET = [
  'internal_only', 'api_key_wrong',
  'path_malformed', 'method_not_allowed', 'method_unknown', 'media_type_unsupported', 'body_too_large', 'body_missing',
  'body_unexpected', 'json_malformed', 'websocket_needed', 'idempotency_key_reused', 'idempotency_running', 'idempotency_outcome_unknown',
  'already_exists', 'etag_mismatch', 'span_missing', 'span_empty',
  // between services
  'action_unknown', 'agent_needed', 'alert_late', 'not_attached', 'reason_invalid', 'needs_invalid', 'too_many',
  // of those who run the installation
  'cluster_alone', 'shard_unknown', 'node_unknown', 'node_role_missing', 'node_draining', 'node_last', 'node_not_drained',
  'shard_already_there', 'shard_not_pinned',
  // editing people, queues, numbers and plans
  'login_taken', 'login_empty', 'login_too_long', 'login_bad_character', 'slug_taken', 'slug_bad_format', 'role_needed', 'role_unknown', 'owner_only', 'last_admin', 'expire_time_past',
  'name_duplicate', 'extension_taken', 'extensions_exhausted', 'number_taken', 'number_bad_format', 'address_bad_format',
  'address_too_wide', 'address_needed', 'in_use', 'entry_unknown', 'node_duplicate', 'node_id_bad_format', 'node_exit_unknown', 'node_kind_missing',
  'node_count_out_of_range', 'queue_not_selected', 'clip_not_selected', 'clip_unknown',
] as const;
