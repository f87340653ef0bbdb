-- Read all notes that are not forgotten. Reply: how late it is, then name and note in turn.
--
-- KEYS[1] the hash of notes, KEYS[2] when each is forgotten.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = {string.format('%.0f', now)}
for _, name in ipairs(redis.call('ZRANGE', KEYS[2], string.format('(%.0f', now), '+inf', 'BYSCORE')) do
  local note = redis.call('HGET', KEYS[1], name)
  if note then
    reply[#reply + 1] = name
    reply[#reply + 1] = note
  end
end
return reply
