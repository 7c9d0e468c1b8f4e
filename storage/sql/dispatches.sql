-- name: list_demand()
-- Steps from key to key over the index instead of reading every card: a hundred thousand cards for one class cost one step.
WITH RECURSIVE key AS (
    (
        SELECT coalesce(agent_class, '') AS agent_class, coalesce(agent, '') AS agent, coalesce(host, '') AS host
        FROM card WHERE status = 'ready' AND unmet_deps = 0
        ORDER BY coalesce(agent_class, ''), coalesce(agent, ''), coalesce(host, '') LIMIT 1
    )
    UNION ALL
    SELECT next.* FROM key, LATERAL (
        SELECT coalesce(agent_class, ''), coalesce(agent, ''), coalesce(host, '')
        FROM card
        WHERE status = 'ready' AND unmet_deps = 0
            AND (coalesce(agent_class, ''), coalesce(agent, ''), coalesce(host, '')) > (key.agent_class, key.agent, key.host)
        ORDER BY coalesce(agent_class, ''), coalesce(agent, ''), coalesce(host, '') LIMIT 1
    ) AS next
)
SELECT nullif(agent_class, '') AS agent_class, nullif(agent, '') AS agent, nullif(host, '') AS host
FROM key WHERE EXISTS (
    SELECT FROM card
    WHERE status = 'ready' AND unmet_deps = 0 AND coalesce(agent_class, '') = key.agent_class
        AND coalesce(agent, '') = key.agent AND coalesce(host, '') = key.host
        AND NOT EXISTS (SELECT FROM card_rest r WHERE r.card_id = card.id AND r.rests_until > now() OFFSET 0)
        AND NOT EXISTS (SELECT FROM dispatch o WHERE o.card_id = card.id AND o.ended_at IS NULL OFFSET 0)
)

-- name: assign_card(place, name, host, agent_class, takes_cards, id, token, message_id, ask_id, ttl_seconds, grace_seconds, actor, via)
-- Claim and dispatch in one statement: a crash leaves both or neither, and the pause, the slots and the two unique
-- indexes are looked at where they cannot be passed by. Each probe reads its own stretch of the index in order.
-- OFFSET 0 keeps these looks from becoming joins: by some statistics the planner would hash and sort all cards of a class
-- instead of reading the index until the first one that passes (a hundred times slower).
WITH free_slot AS (
    SELECT agent_class, number FROM slot WHERE agent_class = $4::text AND dispatch IS NULL
    ORDER BY number LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
), best AS (
    SELECT found.id FROM (
        SELECT wanted.agent_class, agent, host
        FROM unnest(CASE WHEN $5::boolean THEN ARRAY[$4::text, ''] ELSE ARRAY[$4::text] END) AS wanted (agent_class),
            unnest(ARRAY[$2::text, '']) AS agent, unnest(ARRAY[$3::text, '']) AS host
        UNION ALL
        -- A card that names the agent is for it, whatever its class takes.
        SELECT '', $2::text, host FROM unnest(ARRAY[$3::text, '']) AS host WHERE NOT $5::boolean
    ) AS key, LATERAL (
        SELECT id, priority, created_at FROM card
        WHERE status = 'ready' AND unmet_deps = 0 AND coalesce(agent_class, '') = key.agent_class
            AND coalesce(agent, '') = key.agent AND coalesce(host, '') = key.host
            AND NOT EXISTS (SELECT FROM card_rest r WHERE r.card_id = card.id AND r.rests_until > now() OFFSET 0)
            -- Its agent gave it back and nobody has seen that yet: the next one gets it when that attempt is ended.
            AND NOT EXISTS (SELECT FROM dispatch o WHERE o.card_id = card.id AND o.ended_at IS NULL OFFSET 0)
            AND NOT EXISTS (
                SELECT FROM dispatch d
                WHERE d.card_id = card.id AND d.place = $1::text AND key.agent = ''
                    AND (d.ended_at IS NULL OR d.outcome <> 'completed') AND d.begun_at > now() - interval '1 hour'
                OFFSET 0
            )
        ORDER BY priority DESC, created_at, id LIMIT 1
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS found
    WHERE NOT EXISTS (SELECT FROM pause WHERE lifted_at IS NULL)
        AND NOT EXISTS (SELECT FROM dispatch WHERE place = $1::text AND ended_at IS NULL)
        AND (NOT EXISTS (SELECT FROM slot WHERE agent_class = $4::text) OR EXISTS (SELECT FROM free_slot))
    ORDER BY found.priority DESC, found.created_at, found.id LIMIT 1
), taken AS (
    UPDATE card
    SET status = 'claimed', claim_owner = 'agent:' || $1::text, claim_token = $7::text, claim_ttl_seconds = $10::integer,
        claimed_at = now(), claim_expires_at = now() + make_interval(secs => least($10::integer, $11::integer)),
        attempts = attempts + 1, updated_at = now()
    FROM best WHERE card.id = best.id AND card.status = 'ready' AND card.unmet_deps = 0
    RETURNING card.*
), noted AS (
    INSERT INTO card_event (card_id, actor, via, action, detail)
    SELECT id, $12::text, $13::text, 'claim', jsonb_build_object(
        'status', jsonb_build_object('from', 'ready', 'to', 'claimed'),
        'claim_owner', jsonb_build_object('from', NULL, 'to', 'agent:' || $1::text),
        'claim_ttl_seconds', jsonb_build_object('from', NULL, 'to', $10::integer)
    ) FROM taken
), opened AS (
    INSERT INTO dispatch (id, card_id, place, agent_class, claim_token, message_id, ask_id)
    SELECT $6::text, id, $1::text, $4::text, $7::text, $8::text, $9::text FROM taken
    RETURNING *
), held AS (
    UPDATE slot SET dispatch = opened.id FROM opened, free_slot
    WHERE slot.agent_class = free_slot.agent_class AND slot.number = free_slot.number
)
SELECT
    opened.id AS dispatch_id, opened.card_id AS dispatched_card, opened.place, opened.claim_token AS dispatch_token,
    opened.message_id, opened.ask_id, opened.begun_at, taken.*
FROM opened, taken

-- name: list_open()
-- The few open dispatches, each with its card and the newest word on its two messages.
SELECT
    d.id AS dispatch_id, d.card_id AS dispatched_card, d.place, d.claim_token AS dispatch_token, d.message_id, d.ask_id,
    d.begun_at, card.*,
    prompt.state AS prompt_state, prompt.by_what AS prompt_by, prompt.failure AS prompt_failure,
    prompt.reason AS prompt_reason, prompt.stated_at AS prompt_stated_at, sent.stored_at AS prompt_stored_at,
    ask.state AS ask_state, ask.by_what AS ask_by, ask.failure AS ask_failure,
    ask.reason AS ask_reason, ask.stated_at AS ask_stated_at, asked.stored_at AS ask_stored_at
FROM dispatch d
LEFT JOIN card ON card.id = d.card_id
LEFT JOIN message sent ON sent.id = d.message_id
LEFT JOIN message asked ON asked.id = d.ask_id
LEFT JOIN LATERAL (
    SELECT state, by_what, CASE WHEN state = 'failed' THEN evidence END AS failure, reason, stated_at FROM receipt r
    WHERE r.message_id = d.message_id ORDER BY r.id DESC LIMIT 1
) AS prompt ON true
LEFT JOIN LATERAL (
    SELECT state, by_what, CASE WHEN state = 'failed' THEN evidence END AS failure, reason, stated_at FROM receipt r
    WHERE r.message_id = d.ask_id ORDER BY r.id DESC LIMIT 1
) AS ask ON true
WHERE d.ended_at IS NULL
ORDER BY d.begun_at, d.id

-- name: end_dispatch(id, outcome, reason)
-- Once: whoever comes second changes nothing. The slot is free from here on. The caller holds the card already: an
-- assignment holds its card when it opens a dispatch, and two that lock in two orders wait for each other for ever.
WITH ended AS (
    UPDATE dispatch SET ended_at = now(), outcome = $2::text, reason = $3::text
    WHERE id = $1::text AND ended_at IS NULL
    RETURNING id, card_id, place
), freed AS (
    UPDATE slot SET dispatch = NULL FROM ended WHERE slot.dispatch = ended.id
)
SELECT card_id, place FROM ended

-- name: rate_worker(place, good, typed, first_rest, longest_rest)
-- A success clears the count; after each failure in a row the rest is twice as long.
UPDATE worker
SET failures = CASE WHEN $2::boolean THEN 0 ELSE failures + 1 END,
    rests_until = CASE WHEN $2::boolean THEN NULL ELSE now() + least($4::interval * power(2, least(failures, 16)), $5::interval) END,
    needs_reset = needs_reset OR (resets AND $3::boolean)
WHERE place = $1::text

-- name: rest_card(card_id, first_rest, longest_rest)
-- A card that came back once may go to another agent at once; from the second time on it rests, longer each time.
INSERT INTO card_rest AS r (card_id, failures, rests_until) VALUES ($1::text, 1, now())
ON CONFLICT (card_id) DO UPDATE
SET failures = r.failures + 1,
    rests_until = now() + least($2::interval * power(2, least(r.failures - 1, 16)), $3::interval)
RETURNING failures

-- name: wake_card(card_id)
-- A card that is done has no past that counts.
DELETE FROM card_rest WHERE card_id = $1::text

-- name: refund_attempt(card_id)
-- On a card that the caller holds: a provider's limit is nobody's attempt.
UPDATE card SET attempts = greatest(attempts - 1, 0) WHERE id = $1::text

-- name: list_history(card_id, place, row_limit)
-- Of a card or of an agent, the other being NULL; each has its own index.
SELECT * FROM (
    SELECT * FROM dispatch WHERE $1::text IS NOT NULL AND card_id = $1::text
    UNION ALL
    SELECT * FROM dispatch WHERE $2::text IS NOT NULL AND place = $2::text
) AS found
ORDER BY begun_at DESC, id LIMIT $3::bigint

-- name: last_completion()
-- Read backwards: it is near the end when a backlog has just become empty.
SELECT id FROM card_event WHERE action = 'complete' ORDER BY id DESC LIMIT 1
