-- What was refused is looked for among much more that was not. Accepted events pay nothing for it.
CREATE INDEX events_refused ON events (id) WHERE verdict = 'refused';
