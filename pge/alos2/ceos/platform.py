"""LED's platform positions (state vectors) and attitude.

Source: the real L1.5 leader. The counts are data: 28 positions a minute apart and 22 attitudes a
second apart there, but nothing promises these numbers.
"""

from __future__ import annotations

from typing import Final

from alos2.ceos.layout import Field, Group, RecordLayout

PLATFORM_POSITION: Final = RecordLayout(
    "platform position",
    (18, 30, 18, 20),
    4680,
    (
        Field("orbit_quality", 12, "A32", "", "0 preliminary, 1 decision, 2 high precision"),
        Field("element_x_m", 44, "F16.7", "m", "orbital elements: position at the centre"),
        Field("element_y_m", 60, "F16.7", "m", "position at the centre"),
        Field("element_z_m", 76, "F16.7", "m", "position at the centre"),
        Field("element_vx_m_s", 92, "F16.7", "m/s", "velocity at the centre"),
        Field("element_vy_m_s", 108, "F16.7", "m/s", "velocity at the centre"),
        Field("element_vz_m_s", 124, "F16.7", "m/s", "velocity at the centre"),
        Field("point_count", 140, "I4", "", "number of state vectors"),
        Field("first_year", 144, "I4", "", "UTC of the first vector"),
        Field("first_month", 148, "I4", "", "UTC of the first vector"),
        Field("first_day", 152, "I4", "", "UTC of the first vector"),
        Field("first_day_of_year", 156, "I4", "", "UTC of the first vector, from 1"),
        Field("first_second_of_day", 160, "E22.15", "s", "UTC of the first vector"),
        Field("interval_s", 182, "E22.15", "s", "from vector to vector"),
        Field("reference_frame", 204, "A64", "", "ECR: Earth-fixed (ITRF97)", default="ECR"),
        Field("greenwich_angle_deg", 268, "E22.15", "deg", "Greenwich hour angle", "readers"),
        Field("position_error_m", 290, "F16.7", "m", "along, across, radial", count=3),
        Field("velocity_error_m_s", 338, "F16.7", "m/s", "along, across, radial", count=3),
        Group(
            "points",
            386,
            132,
            "point_count",
            (
                Field("x_m", 0, "E22.15", "m", "Earth-fixed position"),
                Field("y_m", 22, "E22.15", "m", "Earth-fixed position"),
                Field("z_m", 44, "E22.15", "m", "Earth-fixed position"),
                Field("vx_m_s", 66, "E22.15", "m/s", "Earth-fixed velocity"),
                Field("vy_m_s", 88, "E22.15", "m/s", "Earth-fixed velocity"),
                Field("vz_m_s", 110, "E22.15", "m/s", "Earth-fixed velocity"),
            ),
            "state vectors",
        ),
        Field("leap_second", 4100, "I1", "", "1: a leap second occurs", default=0),
    ),
)

ATTITUDE: Final = RecordLayout(
    "attitude",
    (18, 40, 18, 20),
    16384,
    (
        Field("point_count", 12, "I4", "", "number of attitudes"),
        Group(
            "points",
            16,
            120,
            "point_count",
            (
                Field("day_of_year", 0, "I4", "", "UTC, from 1"),
                Field("ms_of_day", 4, "I8", "ms", "UTC"),
                Field("pitch_flag", 12, "I4", "", "1: pitch is bad", default=0),
                Field("roll_flag", 16, "I4", "", "1: roll is bad", default=0),
                Field("yaw_flag", 20, "I4", "", "1: yaw is bad", default=0),
                Field("pitch_deg", 24, "E14.6", "deg", "pitch"),
                Field("roll_deg", 38, "E14.6", "deg", "roll; negative when it looks right"),
                Field("yaw_deg", 52, "E14.6", "deg", "yaw"),
                Field("pitch_rate_flag", 66, "I4", "", "1: pitch rate is bad", default=0),
                Field("roll_rate_flag", 70, "I4", "", "1: roll rate is bad", default=0),
                Field("yaw_rate_flag", 74, "I4", "", "1: yaw rate is bad", default=0),
                Field("pitch_rate_deg_s", 78, "E14.6", "deg/s", "rate of pitch"),
                Field("roll_rate_deg_s", 92, "E14.6", "deg/s", "rate of roll"),
                Field("yaw_rate_deg_s", 106, "E14.6", "deg/s", "rate of yaw"),
            ),
            "attitudes",
        ),
    ),
)
