-- The beginning of every script: the epoch of this partition's log, decided by the server.
--
-- KEYS[1] the stream, KEYS[2] its meta hash. The epoch follows the server's replication id, read
-- here and not by the client: a connection may outlive a failover, and one that still told the old
-- id would begin a new epoch for nothing. `past` holds former epochs with the count each reached
-- in this log, so that a reader knows whether what it has read survived.

local PAST_MAX = 8

local deltas, meta = KEYS[1], KEYS[2]

local held = redis.call('HMGET', meta, 'replid', 'epoch', 'past', 'count', 'last')
local epoch, past = held[2], held[3] or ''
local count, last = tonumber(held[4] or 0), held[5] or '0-0'

local info = redis.pcall('INFO', 'replication')
local replid = type(info) == 'string' and string.match(info, 'master_replid:(%x+)')
replid = replid or 'unreported'

local function begin_epoch(survived)
  local kept = {}
  if survived then
    kept[1] = epoch .. ' ' .. count
    for name, upto in string.gmatch(past, '(%S+) (%d+)') do
      if #kept < PAST_MAX then kept[#kept + 1] = name .. ' ' .. upto end
    end
  else
    last = '0-0'
  end
  local now = redis.call('TIME')
  epoch = string.format('r%s%06d%s', now[1], tonumber(now[2]), string.sub(replid, 1, 6))
  past = table.concat(kept, ' ')
  redis.call('HSET', meta, 'replid', replid, 'epoch', epoch, 'past', past,
    'count', count, 'last', last)
end

local deleted = last ~= '0-0' and redis.call('EXISTS', deltas) == 0
if deleted or held[1] ~= replid then begin_epoch(epoch and not deleted) end

-- Whether what was read up to `ordinal` in the epoch `name` is part of this log.
local function holds(name, ordinal)
  if name == epoch then return ordinal <= count end
  for former, upto in string.gmatch(past, '(%S+) (%d+)') do
    if former == name then return ordinal <= tonumber(upto) end
  end
  return false
end
