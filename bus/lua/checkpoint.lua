-- Store a state of the partition. Reply: 0 if it contains what this log has lost, else 1.
--
-- KEYS[3] the checkpoint. ARGV: epoch and ordinal of its position, then its three fields. An older
-- state never replaces a newer one, for the log behind the newer one may be trimmed already.

local ordinal = tonumber(ARGV[2])
if not holds(ARGV[1], ordinal) then return 0 end

local kept = redis.call('HGET', KEYS[3], 'position')
if kept then
  local name, reached = string.match(kept, '^([^:]+):(%d+):')
  if name and holds(name, tonumber(reached)) and tonumber(reached) > ordinal then return 1 end
end
redis.call('HSET', KEYS[3], 'epoch', ARGV[3], 'position', ARGV[4], 'data', ARGV[5])
return 1
