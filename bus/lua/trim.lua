-- Drop what lies before an id, if it was read in this log. Reply: how many.
--
-- ARGV: epoch and ordinal of the last entry to drop, and the first id to keep.

if not holds(ARGV[1], tonumber(ARGV[2])) then return 0 end
return redis.call('XTRIM', deltas, 'MINID', '=', ARGV[3])
