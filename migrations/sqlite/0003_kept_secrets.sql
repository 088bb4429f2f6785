-- A secret that a sender brought in a handshake: 'unseen' until an admin was shown it, then 'seen'. Null: it was given.
ALTER TABLE secrets ADD COLUMN kept TEXT CHECK (kept IN ('unseen', 'seen'));
