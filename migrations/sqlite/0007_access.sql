-- Keys that expire and are revoked. The row of a revoked key stays, so that the audit log can be read.
ALTER TABLE api_keys ADD COLUMN created_by   TEXT NOT NULL DEFAULT 'gateway';
ALTER TABLE api_keys ADD COLUMN expires_at   INTEGER;
ALTER TABLE api_keys ADD COLUMN revoked_at   INTEGER;
-- Written now and then, not with every request.
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;

CREATE INDEX audit_target ON audit (target, seq);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_action ON audit (action, seq);
CREATE INDEX audit_at ON audit (at);
