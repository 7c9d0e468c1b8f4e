-- What a claim costs: a table's CHECKs run again for every column at every update, a domain's only for a value that is
-- set. So limits of one value become domains; what several columns must keep together stays with the table.

CREATE DOMAIN card_id AS text COLLATE "C" CONSTRAINT card_id_form CHECK (VALUE ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$');
CREATE DOMAIN card_title AS text CONSTRAINT card_title_length CHECK (char_length(VALUE) BETWEEN 1 AND 300);
CREATE DOMAIN card_body AS text CONSTRAINT card_body_length CHECK (octet_length(VALUE) <= 400000);
CREATE DOMAIN card_phase AS text CONSTRAINT card_phase_length CHECK (char_length(VALUE) BETWEEN 1 AND 100);
CREATE DOMAIN card_status AS text CONSTRAINT card_status_known CHECK (VALUE IN ('ready', 'claimed', 'blocked', 'done'));
CREATE DOMAIN card_unmet_deps AS integer CONSTRAINT card_unmet_deps_counted CHECK (VALUE >= 0);
CREATE DOMAIN card_attempts AS integer CONSTRAINT card_attempts_counted CHECK (VALUE >= 0);
CREATE DOMAIN card_claim_owner AS text CONSTRAINT card_claim_owner_length CHECK (char_length(VALUE) BETWEEN 1 AND 255);
CREATE DOMAIN card_claim_ttl AS integer CONSTRAINT card_claim_ttl_range CHECK (VALUE BETWEEN 1 AND 604800);
CREATE DOMAIN card_agent_class AS text CONSTRAINT card_agent_class_length CHECK (char_length(VALUE) BETWEEN 1 AND 100);
CREATE DOMAIN card_agent AS text CONSTRAINT card_agent_length CHECK (char_length(VALUE) BETWEEN 1 AND 100);
CREATE DOMAIN card_host AS text CONSTRAINT card_host_length CHECK (char_length(VALUE) BETWEEN 1 AND 255);
CREATE DOMAIN card_block_reason AS text
    CONSTRAINT card_block_reason_length CHECK (char_length(VALUE) BETWEEN 1 AND 2000);

-- The statements that move a card clear what belongs to the status that it leaves; the table refuses all else.
DROP TRIGGER card_leaves_status ON card;
DROP FUNCTION card_leaves_status();

-- What a card depends on, also on the card itself: kept with the counter, in the statements that change edges, so that a
-- claim reads one row and nothing else.
ALTER TABLE card ADD COLUMN depends_on text[] NOT NULL DEFAULT '{}';

UPDATE card SET depends_on = ARRAY(SELECT needs_id FROM card_edge WHERE card_edge.card_id = card.id ORDER BY position)
WHERE id IN (SELECT card_edge.card_id FROM card_edge);

ALTER TABLE card
    -- The one statement that gives a reason gives the status with it; a CHECK of it was 4 % of a claim.
    DROP CONSTRAINT card_reason_only_when_blocked,
    DROP CONSTRAINT card_id_form,
    DROP CONSTRAINT card_title_length,
    DROP CONSTRAINT card_body_length,
    DROP CONSTRAINT card_phase_length,
    DROP CONSTRAINT card_agent_class_length,
    DROP CONSTRAINT card_agent_length,
    DROP CONSTRAINT card_host_length,
    DROP CONSTRAINT card_block_reason_length,
    DROP CONSTRAINT card_claim_owner_length,
    DROP CONSTRAINT card_claim_ttl_range,
    DROP CONSTRAINT card_status_known,
    DROP CONSTRAINT card_unmet_deps_counted,
    DROP CONSTRAINT card_attempts_counted;

ALTER TABLE card
    ALTER COLUMN id TYPE card_id,
    ALTER COLUMN title TYPE card_title,
    ALTER COLUMN body TYPE card_body,
    ALTER COLUMN phase TYPE card_phase,
    ALTER COLUMN status TYPE card_status,
    ALTER COLUMN unmet_deps TYPE card_unmet_deps,
    ALTER COLUMN attempts TYPE card_attempts,
    ALTER COLUMN claim_owner TYPE card_claim_owner,
    ALTER COLUMN claim_ttl_seconds TYPE card_claim_ttl,
    ALTER COLUMN agent_class TYPE card_agent_class,
    ALTER COLUMN agent TYPE card_agent,
    ALTER COLUMN host TYPE card_host,
    ALTER COLUMN block_reason TYPE card_block_reason;
