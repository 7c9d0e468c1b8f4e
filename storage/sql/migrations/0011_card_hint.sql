-- Whoever supervises hears of cards that may be claimable now. A statement that claims sets neither of these columns, so a
-- claim pays nothing: unmet_deps falls when what a card waits for is done, block_reason is written with every other status.

CREATE FUNCTION tell_cards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('supervisor', 'card');
    RETURN NULL;
END
$$;

CREATE TRIGGER card_is_told AFTER INSERT OR UPDATE OF unmet_deps, block_reason ON card
    FOR EACH STATEMENT EXECUTE FUNCTION tell_cards();
