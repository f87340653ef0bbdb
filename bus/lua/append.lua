-- Append the deltas of one partition: dedupe by id, number densely per session, XADD.
--
-- KEYS[3..] one `seen` key per delta. ARGV: milliseconds an id is remembered, the stream's safety
-- limit, then per delta the session's field in meta and the packed delta. Without deltas it only
-- tells the state. Reply: epoch, past, count, last id, entries dropped by the safety limit, then
-- per delta its number and 1 if its id was known. A retry gets the first numbers again.

local seen_ms, stream_max = ARGV[1], ARGV[2]
local expected = redis.call('XLEN', deltas)
local receipts = {}

for i = 3, #KEYS do
  local field, data = ARGV[2 * i - 3], ARGV[2 * i - 2]
  local known = redis.call('GET', KEYS[i])
  local number
  if known then
    number = tonumber(string.match(known, '^%d+'))
  else
    number = tonumber(redis.call('HGET', meta, field) or 0) + 1
    count = count + 1
    expected = expected + 1
    -- Never an explicit id: one from a fast clock would push all later ones into the future.
    last = redis.call('XADD', deltas, 'MAXLEN', '~', stream_max, '*',
      'o', count, 'n', number, 'e', epoch, 'd', data)
    redis.call('HSET', meta, 'count', count, 'last', last, field, number)
    redis.call('SET', KEYS[i], number .. ' ' .. last, 'PX', seen_ms)
  end
  receipts[#receipts + 1] = number
  receipts[#receipts + 1] = known and 1 or 0
end

return {epoch, past, count, last, expected - redis.call('XLEN', deltas), receipts}
