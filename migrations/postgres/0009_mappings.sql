-- What its author says of a version, and how it came: by `api`, or by a `file` of this name. Older versions do not say.
ALTER TABLE mappings
    ADD COLUMN note   text,
    ADD COLUMN origin text,
    ADD COLUMN file   text;
