/** Marks a file as ours, in SQLite's header. */
export const APPLICATION_ID = 0x43_6c_72_63

/** The version of {@link SCHEMA}, in `PRAGMA user_version`. */
export const SCHEMA_VERSION = 1

/** Whether a number can be read as a number: one that cannot would stop whoever reads it, with all that it reads along. */
function fits(column: string): string {
  return `${column} BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}`
}

/**
 * Everything that is kept, messages and results, in one file.
 *
 * A message's text is written once and removed once; what changes is which of three narrow tables says
 * where it is: `ready`, `claimed` by an owner (a row of `consumer`), or `parked` until it is due. `rank` is
 * 9 minus the priority, so that ascending order is delivery order. `claimed` needs no index by owner: it is never longer than
 * what all consumers together may have out. Wide columns come last: what precedes
 * them is read without them. `seq` columns only ever grow, in commit order, so a reader that remembers the
 * last one misses nothing. They and the numbers of consumers begin at the time, so that a file made in place of
 * a deleted one never gives a number again: what a process remembers of the old one means nothing here.
 */
export const SCHEMA: string = `
CREATE TABLE message (id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (${fits('id')}), published_at INTEGER NOT NULL CHECK (${fits('published_at')}), envelope, body);
CREATE TABLE ready (
  queue TEXT NOT NULL, rank INTEGER NOT NULL, id INTEGER NOT NULL, losses INTEGER NOT NULL, PRIMARY KEY (queue, rank, id),
  CHECK (${fits('rank')} AND ${fits('id')} AND ${fits('losses')})
) WITHOUT ROWID;
CREATE TABLE claimed (
  id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, queue TEXT NOT NULL, rank INTEGER NOT NULL, losses INTEGER NOT NULL, begun INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE parked (
  queue TEXT NOT NULL, due_at INTEGER NOT NULL, id INTEGER NOT NULL, rank INTEGER NOT NULL, losses INTEGER NOT NULL, PRIMARY KEY (queue, due_at, id),
  CHECK (${fits('due_at')} AND ${fits('id')} AND ${fits('rank')} AND ${fits('losses')})
) WITHOUT ROWID;
CREATE TABLE dead_letter (
  id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, died_at INTEGER NOT NULL, envelope, body
);
CREATE INDEX dead_letter_queue ON dead_letter (queue, id);
CREATE TABLE consumer (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tag TEXT NOT NULL, name TEXT NOT NULL, machine TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL,
  started TEXT, queues TEXT NOT NULL, lease_until INTEGER NOT NULL, children TEXT NOT NULL
);
CREATE TABLE lease (
  name TEXT PRIMARY KEY, owner TEXT NOT NULL, machine TEXT NOT NULL, pid INTEGER NOT NULL, started TEXT, until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE fanout (seq INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, at INTEGER NOT NULL, payload TEXT NOT NULL);
CREATE TABLE result (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, expires_at INTEGER, meta TEXT NOT NULL
);
CREATE INDEX result_expiry ON result (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE result_group (id TEXT PRIMARY KEY, expires_at INTEGER, meta TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO sqlite_sequence (name, seq)
  SELECT column1, CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000 FROM (VALUES ('consumer'), ('fanout'), ('result'));
`
