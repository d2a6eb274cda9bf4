// A battery that listens to other devices on the bus.
#include <limits>

#include "one_battery.hpp"
#include "support/settings_service.hpp"

using namespace bmsd::test;

namespace {

constexpr const char* shunt_name = "com.victronenergy.battery.ttyS9";

class Surroundings : public OneBattery {
protected:
    void start_jk(const std::string& config) {
        start("jkbms_pb", "BMS_TYPE = Jkbms_pb\n" + config, {"--capacity", "100", "--soc", "50"});
    }
};

}  // namespace

TEST_F(Surroundings, CurrentAndStateOfChargeOfAShunt) {
    {
        SettingsService shunt(rig_.bus.address(), shunt_name);
        shunt.store("/Dc/0/Current", -33.0);
        shunt.store("/Soc", 71.5);
        start_jk(std::string("EXTERNAL_SENSOR_DBUS_DEVICE = ") + shunt_name +
                 "\nEXTERNAL_SENSOR_DBUS_PATH_CURRENT = /Dc/0/Current\nEXTERNAL_SENSOR_DBUS_PATH_SOC = /Soc\n");
        EXPECT_TRUE(becomes("/Dc/0/Current", -33));
        EXPECT_TRUE(becomes("/Soc", 71.5));
        EXPECT_EQ(rig_.number(service_, "/SocBms"), 50);
        shunt.change("/Dc/0/Current", -20.0);
        EXPECT_TRUE(becomes("/Dc/0/Current", -20));
    }
    EXPECT_TRUE(becomes("/Dc/0/Current", -10)) << "the BMS's own, now that the shunt is gone";
    EXPECT_TRUE(becomes("/Soc", 50));
    EXPECT_TRUE(rig_.logged(std::string(shunt_name) + " has left D-Bus"));
    SettingsService shunt(rig_.bus.address(), shunt_name);
    shunt.change("/Dc/0/Current", -5.0);
    EXPECT_TRUE(becomes("/Dc/0/Current", -5)) << "it is back";
}

TEST_F(Surroundings, AShuntThatSaysNoNumberIsNotBelieved) {
    SettingsService shunt(rig_.bus.address(), shunt_name);
    shunt.store("/Dc/0/Current", -33.0);
    start_jk(std::string("EXTERNAL_SENSOR_DBUS_DEVICE = ") + shunt_name +
             "\nEXTERNAL_SENSOR_DBUS_PATH_CURRENT = /Dc/0/Current\n");
    EXPECT_TRUE(becomes("/Dc/0/Current", -33));
    shunt.change("/Dc/0/Current", std::numeric_limits<double>::quiet_NaN());
    EXPECT_TRUE(becomes("/Dc/0/Current", -10)) << "the BMS's own";
    shunt.change("/Dc/0/Current", -20.0);
    EXPECT_TRUE(becomes("/Dc/0/Current", -20));
}

TEST_F(Surroundings, AShuntThatIsNotThereIsNamed) {
    start_jk(std::string("EXTERNAL_SENSOR_DBUS_DEVICE = ") + shunt_name +
             "\nEXTERNAL_SENSOR_DBUS_PATH_CURRENT = /Dc/0/Current\n");
    EXPECT_TRUE(eventually([&] {
        return rig_.logged(std::string(shunt_name) + " is not on D-Bus: going on without its /Dc/0/Current");
    })) << rig_.daemon().err();
    SettingsService shunt(rig_.bus.address(), shunt_name);
    shunt.change("/Dc/0/Current", -5.0);
    EXPECT_TRUE(becomes("/Dc/0/Current", -5));
    EXPECT_TRUE(rig_.logged(std::string(shunt_name) + " tells its /Dc/0/Current now"));
}

TEST_F(Surroundings, AShuntIsAskedAgainAfterAnError) {
    SettingsService shunt(rig_.bus.address(), shunt_name);
    shunt.store("/Dc/0/Current", -33.0);
    shunt.refuse("/Dc/0/Current", "GetValue");
    start_jk(std::string("EXTERNAL_SENSOR_DBUS_DEVICE = ") + shunt_name +
             "\nEXTERNAL_SENSOR_DBUS_PATH_CURRENT = /Dc/0/Current\n");
    EXPECT_TRUE(becomes("/Dc/0/Current", -33));
    EXPECT_TRUE(rig_.logged(std::string(shunt_name) + " does not answer (busy)"));
}

TEST_F(Surroundings, AShuntWithoutThePathIsNamed) {
    SettingsService shunt(rig_.bus.address(), shunt_name);
    start_jk(std::string("EXTERNAL_SENSOR_DBUS_DEVICE = ") + shunt_name +
             "\nEXTERNAL_SENSOR_DBUS_PATH_CURRENT = /Dc/0/Curent\n");
    EXPECT_TRUE(eventually([&] {
        return rig_.logged(std::string(shunt_name) + " knows no such path: going on without its /Dc/0/Curent");
    })) << rig_.daemon().err();
}

TEST_F(Surroundings, TimeToGoEndsWhereTheEnergyManagerStops) {
    SettingsService settings(rig_.bus.address());
    settings.store("/Settings/CGwacs/Hub4Mode", 1);
    settings.store("/Settings/CGwacs/BatteryLife/State", 10);
    settings.store("/Settings/CGwacs/BatteryLife/MinimumSocLimit", 30.0);
    settings.store("/Settings/CGwacs/BatteryLife/SocLimit", 45.0);
    start_jk("");
    EXPECT_TRUE(becomes("/TimeToGo", 2 * 3600)) << "from 50 % to 30 % at 10 % an hour";
}

TEST_F(Surroundings, WithoutEnergyManagerTimeToGoEndsAtTheWarning) {
    start_jk("SOC_LOW_WARNING = 25\n");
    EXPECT_TRUE(becomes("/TimeToGo", 9000)) << "from 50 % to 25 % at 10 % an hour";
}
