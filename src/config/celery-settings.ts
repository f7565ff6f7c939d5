/**
 * Celery's other settings: those that this version does not have. Naming one is answered with that, rather
 * than with a guess at a spelling mistake. The last two are Flask-Execute's.
 *
 * @see Celery 5.6 `celery/app/defaults.py`
 */
const SETTINGS: ReadonlySet<string> = new Set(
  `
  arangodb_backend_settings azureblockblob_base_path azureblockblob_connection_timeout azureblockblob_container_name
  azureblockblob_read_timeout azureblockblob_retry_increment_base azureblockblob_retry_initial_backoff_sec
  azureblockblob_retry_max_attempts beat_cron_starting_deadline beat_max_loop_interval beat_schedule beat_schedule_filename
  beat_scheduler beat_sync_every broker_channel_error_retry 
  broker_failover_strategy broker_heartbeat_checkrate broker_host
  broker_login_method broker_native_delayed_delivery_queue_type broker_password broker_pool_acquire_timeout broker_pool_limit
  broker_port broker_transport broker_user broker_vhost cache_backend
  cache_backend_options cassandra_auth_kwargs cassandra_auth_provider cassandra_bundle_path cassandra_entry_ttl
  cassandra_keyspace cassandra_options cassandra_port cassandra_read_consistency cassandra_servers cassandra_table
  cassandra_write_consistency control_exchange control_queue_durable control_queue_exclusive control_queue_expires
  control_queue_ttl cosmosdbsql_collection_name cosmosdbsql_consistency_level cosmosdbsql_database_name
  cosmosdbsql_max_retry_attempts cosmosdbsql_max_retry_wait_time couchbase_backend_settings database_create_tables_at_setup
  database_engine_callback database_engine_options database_short_lived_sessions database_table_names database_table_schemas
  database_url dynamodb_endpoint_url elasticsearch_max_retries elasticsearch_retry_on_timeout elasticsearch_save_meta_as_text
  elasticsearch_timeout enable_utc event_exchange event_queue_durable event_queue_exclusive event_queue_expires
  event_queue_prefix event_queue_ttl event_serializer firestore_project gcs_base_path gcs_bucket gcs_project
  gcs_threadpool_maxsize gcs_ttl mongodb_backend_settings redis_backend_credential_provider
  redis_db redis_host 
  redis_password redis_port 
  redis_username result_backend_always_retry result_backend_base_sleep_between_retries_ms
  result_backend_max_retries result_backend_max_sleep_between_retries_ms result_backend_thread_safe
  result_cache_max result_chord_join_timeout result_chord_retry_interval
  result_exchange result_exchange_type result_persistent s3_access_key_id s3_base_path s3_bucket s3_endpoint_url s3_region
  s3_secret_access_key security_cert_store security_certificate security_digest security_key security_key_password
  task_acks_on_failure task_acks_on_failure_or_timeout task_acks_on_timeout task_allow_error_cb_on_chord_header
  task_annotations task_create_missing_queue_exchange_type task_create_missing_queue_type
  task_create_missing_queues task_default_delivery_mode task_default_exchange task_default_exchange_type
  task_default_queue_type task_default_rate_limit task_default_routing_key task_inherit_parent_priority task_protocol
  task_publish_retry task_publish_retry_policy task_queue_max_priority task_queues task_remote_tracebacks task_routes
  task_send_sent_event task_soft_time_limit task_store_eager_result task_store_errors_even_if_ignored task_time_limit
  worker_agent worker_autoscaler worker_cancel_long_running_tasks_on_connection_loss worker_consumer
  worker_deduplicate_successful_tasks worker_detect_quorum_queues worker_direct worker_disable_prefetch
  worker_disable_rate_limits worker_enable_prefetch_count_reduction worker_enable_remote_control
  worker_enable_soft_shutdown_on_idle worker_eta_task_limit worker_hijack_root_logger worker_log_color worker_log_format
  worker_lost_wait worker_max_memory_per_child worker_max_tasks_per_child worker_pool_putlocks worker_pool_restarts
  worker_proc_alive_timeout worker_redirect_stdouts worker_redirect_stdouts_level worker_send_task_events worker_state_db
  worker_task_log_format worker_timer worker_timer_precision
  flower_port flower_address
`.trim().split(/\s+/),
)

/** Names from before Celery 4 that are not the new one in capitals. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  CELERYBEAT_CRON_STARTING_DEADLINE: 'beat_cron_starting_deadline',
  CELERYBEAT_MAX_LOOP_INTERVAL: 'beat_max_loop_interval',
  CELERYBEAT_SCHEDULE: 'beat_schedule',
  CELERYBEAT_SCHEDULER: 'beat_scheduler',
  CELERYBEAT_SCHEDULE_FILENAME: 'beat_schedule_filename',
  CELERYBEAT_SYNC_EVERY: 'beat_sync_every',
  CELERYD_AGENT: 'worker_agent',
  CELERYD_AUTOSCALER: 'worker_autoscaler',
  CELERYD_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS: 'worker_cancel_long_running_tasks_on_connection_loss',
  CELERYD_CONSUMER: 'worker_consumer',
  CELERYD_DEDUPLICATE_SUCCESSFUL_TASKS: 'worker_deduplicate_successful_tasks',
  CELERYD_DETECT_QUORUM_QUEUES: 'worker_detect_quorum_queues',
  CELERYD_DISABLE_PREFETCH: 'worker_disable_prefetch',
  CELERYD_ENABLE_PREFETCH_COUNT_REDUCTION: 'worker_enable_prefetch_count_reduction',
  CELERYD_ENABLE_SOFT_SHUTDOWN_ON_IDLE: 'worker_enable_soft_shutdown_on_idle',
  CELERYD_ETA_TASK_LIMIT: 'worker_eta_task_limit',
  CELERYD_HIJACK_ROOT_LOGGER: 'worker_hijack_root_logger',
  CELERYD_LOG_COLOR: 'worker_log_color',
  CELERYD_LOG_FORMAT: 'worker_log_format',
  CELERYD_MAX_MEMORY_PER_CHILD: 'worker_max_memory_per_child',
  CELERYD_MAX_TASKS_PER_CHILD: 'worker_max_tasks_per_child',
  CELERYD_POOL_PUTLOCKS: 'worker_pool_putlocks',
  CELERYD_POOL_RESTARTS: 'worker_pool_restarts',
  CELERYD_PROC_ALIVE_TIMEOUT: 'worker_proc_alive_timeout',
  CELERYD_STATE_DB: 'worker_state_db',
  CELERYD_TASK_LOG_FORMAT: 'worker_task_log_format',
  CELERYD_TASK_SOFT_TIME_LIMIT: 'task_soft_time_limit',
  CELERYD_TASK_TIME_LIMIT: 'task_time_limit',
  CELERYD_TIMER: 'worker_timer',
  CELERYD_TIMER_PRECISION: 'worker_timer_precision',
  CELERYD_WORKER_LOST_WAIT: 'worker_lost_wait',
  CELERY_ACKS_ON_FAILURE: 'task_acks_on_failure',
  CELERY_ACKS_ON_FAILURE_OR_TIMEOUT: 'task_acks_on_failure_or_timeout',
  CELERY_ACKS_ON_TIMEOUT: 'task_acks_on_timeout',
  CELERY_ALLOW_ERROR_CB_ON_CHORD_HEADER: 'task_allow_error_cb_on_chord_header',
  CELERY_ANNOTATIONS: 'task_annotations',
  CELERY_CREATE_MISSING_QUEUES: 'task_create_missing_queues',
  CELERY_CREATE_MISSING_QUEUE_EXCHANGE_TYPE: 'task_create_missing_queue_exchange_type',
  CELERY_CREATE_MISSING_QUEUE_TYPE: 'task_create_missing_queue_type',
  CELERY_DEFAULT_DELIVERY_MODE: 'task_default_delivery_mode',
  CELERY_DEFAULT_EXCHANGE: 'task_default_exchange',
  CELERY_DEFAULT_EXCHANGE_TYPE: 'task_default_exchange_type',
  CELERY_DEFAULT_QUEUE_TYPE: 'task_default_queue_type',
  CELERY_DEFAULT_RATE_LIMIT: 'task_default_rate_limit',
  CELERY_DEFAULT_ROUTING_KEY: 'task_default_routing_key',
  CELERY_DISABLE_RATE_LIMITS: 'worker_disable_rate_limits',
  CELERY_ENABLE_REMOTE_CONTROL: 'worker_enable_remote_control',
  CELERY_INHERIT_PARENT_PRIORITY: 'task_inherit_parent_priority',
  CELERY_MAX_CACHED_RESULTS: 'result_cache_max',
  CELERY_QUEUES: 'task_queues',
  CELERY_QUEUE_MAX_PRIORITY: 'task_queue_max_priority',
  CELERY_REDIRECT_STDOUTS: 'worker_redirect_stdouts',
  CELERY_REDIRECT_STDOUTS_LEVEL: 'worker_redirect_stdouts_level',
  CELERY_REMOTE_TRACEBACKS: 'task_remote_tracebacks',
  CELERY_RESULT_DBURI: 'database_url',
  CELERY_RESULT_DB_SHORT_LIVED_SESSIONS: 'database_short_lived_sessions',
  CELERY_RESULT_DB_TABLENAMES: 'database_table_names',
  CELERY_RESULT_ENGINE_OPTIONS: 'database_engine_options',
  CELERY_ROUTES: 'task_routes',
  CELERY_SEND_EVENTS: 'worker_send_task_events',
  CELERY_SEND_TASK_SENT_EVENT: 'task_send_sent_event',
  CELERY_STORE_EAGER_RESULT: 'task_store_eager_result',
  CELERY_STORE_ERRORS_EVEN_IF_IGNORED: 'task_store_errors_even_if_ignored',
}

/** Celery's lower-case name of a setting that is not available here, whichever way it is spelt; undefined for any other key. */
export function unavailableSetting(key: string): string | undefined {
  if (Object.hasOwn(OLD_NAMES, key)) return OLD_NAMES[key]
  const name = isUpperCase(key) ? key.toLowerCase().replace(/^celery_/, '') : snakeCase(key)
  return SETTINGS.has(name) ? name : undefined
}

/** `taskDefaultQueue` as `task_default_queue`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** True for names such as `CELERY_BROKER_URL`. */
export function isUpperCase(key: string): boolean {
  return key === key.toUpperCase()
}
