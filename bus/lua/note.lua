-- Leave a note under a name, in the place of the one before.
--
-- KEYS[1] the hash of notes, KEYS[2] when each is forgotten. ARGV: the name, what is noted, for how
-- many milliseconds, and how many notes there may be. A retry leaves the same note again.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function forget(names)
  for _, name in ipairs(names) do
    redis.call('HDEL', KEYS[1], name)
    redis.call('ZREM', KEYS[2], name)
  end
end

redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f:', now) .. ARGV[2])
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[3]), ARGV[1])
forget(redis.call('ZRANGE', KEYS[2], '-inf', string.format('%.0f', now), 'BYSCORE'))
local surplus = redis.call('ZCARD', KEYS[2]) - ARGV[4]
if surplus > 0 then forget(redis.call('ZRANGE', KEYS[2], 0, surplus - 1)) end
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
for _, key in ipairs(KEYS) do
  if last[2] then redis.call('PEXPIREAT', key, string.format('%.0f', last[2])) end
end
return 1
