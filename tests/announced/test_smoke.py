import time
from tests.announced.three_bots import ThreeBots, GROUP

async def test_smoke(bots: ThreeBots) -> None:
    t=time.perf_counter()
    await bots.start()
    print("started", time.perf_counter()-t); t=time.perf_counter()
    await bots.asks_on_discord("claw-2")
    await bots.asks_on_telegram("claw-3")
    for _ in range(30):
        await bots.until(lambda: not sum(b.line.under_way for b in bots.bots), each=4)
        await bots.clock.turn(4)
    import asyncio
    for _ in range(10):
        await asyncio.sleep(0.05)
        await bots.clock.turn(4)
    print("passed", time.perf_counter()-t)
    for one in bots.discord.guild.messages.values():
        print("D", one.author.name, one.channel, one.text)
    h=bots.one.telegram.history
    for k,one in h.messages.items():
        print("T", one["from"]["first_name"], one.get("text"))
    for b in bots.bots:
        print(b.name, len(b.line.moments), b.line.moments[-60:])
    from collections import Counter
    print(Counter(i.action for i in bots.function.invocations), Counter(i.status for i in bots.function.invocations))
    assert 0
